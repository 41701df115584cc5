"""Every setting of every process, read once from the environment (prefix ``GUOYUAN_``) or ``.env``.

The three service addresses are optional: without them ``guoyuan up`` starts the embedded stack and
passes its addresses to the processes through the same variables.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Mode = Literal["demo", "production"]


class Settings(BaseSettings):
    """Configuration of one process. Secrets are ``SecretStr`` so that a log line cannot show them."""

    model_config = SettingsConfigDict(
        env_prefix="GUOYUAN_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    mode: Mode = Field("demo", description="`production` refuses demo credentials and made-up secrets.")

    database_url: str | None = Field(None, description="postgresql://… ; empty: embedded PostgreSQL.")
    database_pool_size: int = Field(10, ge=2, le=200, description="Connections per process.")
    redis_url: str | None = Field(None, description="redis://… ; empty: embedded Redis.")
    mqtt_url: str | None = Field(None, description="mqtt://user:password@host:port ; empty: embedded broker.")

    data_dir: Path = Field(Path(".guoyuan"), description="Where the embedded stack keeps its data.")
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=0, le=65535, description="0 takes any free port.")
    mqtt_port: int = Field(1883, ge=0, le=65535, description="Of the embedded broker; 0 takes any free port.")
    mqtt_terminal_url: str | None = Field(
        None,
        description="mqtt://host:port where terminals connect; empty: the same broker address as mqtt_url.",
    )
    broker_hook_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="Shared with a clustered broker that asks this API who may connect; empty: nobody may ask.",
    )
    embedded_broker: Literal["auto", "builtin", "mosquitto"] = Field(
        "auto",
        description="`auto` takes Mosquitto when it is installed, else the broker that comes with Guoyuan.",
    )

    # Secrets. In demo mode they are made once and kept in `data_dir`; production must set them.
    token_secret: SecretStr | None = Field(None, description="Signs access tokens; ≥ 32 bytes.")
    field_key: SecretStr | None = Field(None, description="base64 of 32 bytes: encrypts personal numbers.")
    field_key_id: str = Field("k1", description="Stored beside each encrypted value, for rotation.")
    lookup_key: SecretStr | None = Field(None, description="base64 of 32 bytes: keyed hash to find them.")

    access_token_minutes: int = Field(15, ge=1, le=60)
    refresh_token_days: int = Field(14, ge=1, le=90)
    code_sender: Literal["console", "file"] = Field("file", description="How one-time codes leave the house.")

    # How notifications leave the house (docs/notifications.md). A channel without its settings is not configured:
    # whoever was to be reached by it is reached by the next one at once.
    notification_outlet: Literal["auto", "file", "gateways"] = Field(
        "auto",
        description="Channels without a gateway: `file` writes to `data_dir`; `auto` does so in demo mode only.",
    )
    sms_gateway_url: str | None = Field(None, description="https://… that takes a signed text message.")
    sms_gateway_secret: SecretStr | None = Field(None, description="Signs it and its delivery reports.")
    sms_template_ids: str = Field("", description="`alert_page=SMS_1,…`: the gateway's own ids of texts.")
    voice_gateway_url: str | None = Field(None, description="https://… that takes a signed call to make.")
    voice_gateway_secret: SecretStr | None = Field(None, description="Signs it and its delivery reports.")
    voice_template_ids: str = Field("", description="`alert_page=TTS_1,…`: the same for calls.")
    push_gateway_url: str | None = Field(None, description="https://… that wakes the app; empty: inbox only.")
    push_gateway_secret: SecretStr | None = Field(None, description="Signs it and its delivery reports.")
    webhook_url: str | None = Field(None, description="https://… of a system that gets signed notifications.")
    webhook_secret: SecretStr | None = Field(None, description="Signs them.")
    wecom_robot_url: SecretStr | None = Field(None, description="The group robot's address; it holds its key.")
    console_url: str | None = Field(None, description="Where staff open the console; stands in texts to them.")

    # Travel times (docs/travel.md). Without a provider the way is the straight line × a factor by mode.
    travel_provider: Literal["", "osrm", "valhalla", "matrix"] = Field(
        "", description="Who is asked for travel times, by coordinates alone; empty: the straight line."
    )
    travel_url: str | None = Field(None, description="Its address, such as http://127.0.0.1:5000 for OSRM.")
    travel_key: SecretStr | None = Field(None, description="The key of a commercial matrix.")
    travel_profiles: str = Field(
        "car=driving", description="`mode=profile,…`: modes that are asked for, by the provider's own names."
    )
    travel_timeout_seconds: float = Field(1.0, gt=0, le=30, description="Then the straight line is taken.")
    travel_block: int = Field(50, ge=2, le=1_000, description="Sources and targets of one request at most.")
    travel_cache_ways: int = Field(200_000, ge=1, description="Ways that a process remembers.")
    travel_cache_hours: float = Field(168.0, gt=0, description="For how long.")

    payment_provider: Literal["auto", "none", "demo"] = Field(
        "auto", description="Who takes households' money; `auto`: the demo's in demo mode, nobody in production."
    )
    payment_secret: SecretStr | None = Field(None, min_length=16, description="Signs the provider's messages.")

    offer_seconds: int = Field(300, ge=5, description="How long a caregiver may think about an offer.")
    alarm_payload_limit: int = Field(16_384, description="Bytes; a larger alarm message is a dead letter.")
    vitals_payload_limit: int = Field(65_536, description="Bytes; a larger vitals message is a dead letter.")
    ingest_batch: int = Field(1_000, ge=1, le=10_000, description="Messages a transaction at most.")
    ingest_share: int = Field(
        1, ge=1, le=8, description="Vitals processes that share the load; more than 1 needs a broker with $share."
    )
    ingest_queue: int = Field(10_000, ge=100, description="Messages waiting at most; then the socket waits.")

    planner_processes: int = Field(
        2,
        ge=1,
        le=32,
        description="Days that one process plans at the same time; each takes a core while it runs.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_json: bool = False

    @model_validator(mode="after")
    def _production_needs_secrets(self) -> Self:
        if self.mode == "production":
            missing = [n for n in ("token_secret", "field_key", "lookup_key") if getattr(self, n) is None]
            if missing:
                names = ", ".join(f"GUOYUAN_{n.upper()}" for n in missing)
                raise ValueError(f"production mode needs {names}")
            if self.payment_provider == "demo":
                raise ValueError("production mode cannot take the demo's payments")
            if self.code_sender == "console":
                raise ValueError("production mode cannot print one-time codes to the console")
        return self

    @model_validator(mode="after")
    def _gateways_are_signed(self) -> Self:
        for name in ("sms_gateway", "voice_gateway", "push_gateway", "webhook"):
            if getattr(self, f"{name}_url") is not None and getattr(self, f"{name}_secret") is None:
                raise ValueError(f"GUOYUAN_{name.upper()}_URL needs GUOYUAN_{name.upper()}_SECRET")
        if self.mode == "production":
            if self.notification_outlet == "file":
                raise ValueError("production mode cannot write notifications to a file")
            robot = self.wecom_robot_url.get_secret_value() if self.wecom_robot_url else None
            urls = (self.sms_gateway_url, self.voice_gateway_url, self.push_gateway_url, self.webhook_url, robot)
            if not all(url.startswith("https://") for url in urls if url is not None):
                raise ValueError("production mode sends numbers and texts over https:// only")
        return self

    @model_validator(mode="after")
    def _travel_provider_has_an_address(self) -> Self:
        if self.travel_provider and not self.travel_url:
            raise ValueError("GUOYUAN_TRAVEL_PROVIDER needs GUOYUAN_TRAVEL_URL")
        for pair in filter(None, self.travel_profiles.split(",")):
            mode, _, profile = pair.partition("=")
            if mode.strip() not in ("walk", "bicycle", "scooter", "car") or not profile.strip():
                raise ValueError("GUOYUAN_TRAVEL_PROFILES is `mode=profile,…` of walk, bicycle, scooter, car")
        return self

    @property
    def writes_notifications_to_file(self) -> bool:
        """Whether a file stands in for channels that no gateway serves."""
        return self.notification_outlet == "file" or (self.notification_outlet == "auto" and self.mode == "demo")

    @property
    def terminal_broker(self) -> tuple[str, int]:
        """Host and port at which terminals reach the broker (the platform's own door may be another one)."""
        address = urlsplit(self.mqtt_terminal_url or self.mqtt_url or f"mqtt://127.0.0.1:{self.mqtt_port}")
        return address.hostname or "127.0.0.1", address.port or 1883


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings; tests build their own ``Settings`` and pass it in."""
    return Settings()
