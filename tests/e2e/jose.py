"""JSON Web Tokens in a page of Python, signed by the openssl program: keys, and tokens good and forged."""

import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    """One part of a token: a JSON value, or bytes as they are."""
    return b64(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


def openssl(*args, data=None):
    return subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=True).stdout


class Key:
    """A key pair in a PEM file, made if it is not there: `rsa` signs RS256, `ec` ES256."""

    def __init__(self, path, kind="rsa", kid=None):
        self.path, self.kind = Path(path), kind
        if not self.path.exists():
            how = ("RSA", "rsa_keygen_bits:2048") if kind == "rsa" else ("EC", "ec_paramgen_curve:P-256")
            openssl("genpkey", "-algorithm", how[0], "-pkeyopt", how[1], "-out", self.path)
        self.algorithm = "RS256" if kind == "rsa" else "ES256"
        self.public_pem = openssl("pkey", "-in", self.path, "-pubout")
        self.public_der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        self.kid = kid or hashlib.sha256(self.public_der).hexdigest()[:16]

    def jwk(self):
        made = {"use": "sig", "alg": self.algorithm, "kid": self.kid}
        if self.kind == "rsa":
            modulus = openssl("rsa", "-in", self.path, "-modulus", "-noout").decode().strip().split("=")[1]
            return {"kty": "RSA", **made, "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}
        point = self.public_der[-64:]  # a SubjectPublicKeyInfo ends with the uncompressed point
        return {"kty": "EC", **made, "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:])}

    def sign(self, text):
        signature = openssl("dgst", "-sha256", "-sign", self.path, data=text)
        return signature if self.kind == "rsa" else raw_of(signature)

    def token(self, claims, header=None):
        """`header` is laid over the usual one; a None removes."""
        fields = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid, **(header or {})}
        text = part({name: value for name, value in fields.items() if value is not None}) + "." + part(claims)
        return text + "." + b64(self.sign(text.encode()))


def raw_of(der):
    """An ECDSA signature of P-256 as JWS has it: r and s, 32 bytes each."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


def unsigned(header, claims, signature=b""):
    return f"{part(header)}.{part(claims)}.{b64(signature)}"


def hs256(secret, claims, header=None):
    """Signed with a shared secret, as no token here may be."""
    text = part({"typ": "JWT", "alg": "HS256", **(header or {})}) + "." + part(claims)
    return text + "." + b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
