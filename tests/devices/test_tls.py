"""The client over TLS, against Mosquitto with a certificate of its own making."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devices import link
from devices.client import ConnectionState, MqttAddress, MqttClient
from tests.devices.brokers import MOSQUITTO, free_port

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = directory / "key.pem", directory / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


async def test_messages_travel_encrypted_and_a_stranger_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = make_certificate(tmp_path)
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n"
        f"max_queued_messages 0\nuser {Path.home().name}\n"
    )
    silent = asyncio.subprocess.DEVNULL
    broker = await asyncio.create_subprocess_exec("mosquitto", "-c", str(config), stdout=silent, stderr=silent)
    address = MqttAddress.parse(f"mqtts://127.0.0.1:{port}")
    try:
        async with MqttClient(address, "stranger") as stranger:
            with pytest.raises(TimeoutError):
                await stranger.wait_connected(1.5)
            assert stranger.state is not ConnectionState.CONNECTED
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(link, "_tls_context", lambda: trusting)
        async with MqttClient(address, "one", queue_size=50) as one, MqttClient(address, "two") as two:
            await one.subscribe("a/#")
            await one.wait_connected(10)
            await two.wait_connected(10)
            # Records of 16 KiB hold many of these: what is decrypted must be read without a new event.
            await asyncio.gather(*(two.publish(f"a/{n}", b"%d" % n * 100) for n in range(2_000)))
            numbers: list[str] = []
            async with asyncio.timeout(20):
                while len(numbers) < 2_000:
                    batch = await one.batch(37)
                    numbers += [message.topic for message in batch]
                    one.ack(batch)
            assert numbers == [f"a/{n}" for n in range(2_000)]
            assert one.connections == 1
    finally:
        broker.terminate()
        await broker.wait()
