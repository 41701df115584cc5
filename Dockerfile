# One image for every process: `guoyuan api`, `ingest`, `worker`, `migrate`, `broker`.
FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/guoyuan
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/guoyuan \
    && /opt/guoyuan/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY services services
COPY api api
COPY devices devices
COPY ops ops
COPY migrations migrations
RUN /opt/guoyuan/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm
# Mosquitto for the broker's container; the other processes do not touch it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends mosquitto \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/guoyuan --create-home guoyuan
COPY --from=build /opt/guoyuan /opt/guoyuan
ENV PATH=/opt/guoyuan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GUOYUAN_MODE=production \
    GUOYUAN_LOG_JSON=true \
    GUOYUAN_DATA_DIR=/var/lib/guoyuan
USER guoyuan
WORKDIR /var/lib/guoyuan
ENTRYPOINT ["guoyuan"]
CMD ["api"]
