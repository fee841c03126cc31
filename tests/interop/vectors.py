"""Computes the known answers of src/credentials/known_answers.rs, with none of our code.

    pip install cryptography && python3 tests/interop/vectors.py
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = b"known-answer-secret-of-redis-sessions-0123456789"
DATABASE = 3
TOKEN = b"sh:AAECAwQFBgcICQoLDA0ODw012"
GENERATION = 7
NOW = 1_786_752_000_123
KEY_ROTATION = 604_800


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derive(purpose, algorithm, database=DATABASE, epoch=0):
    info = f"redis-sessions|{purpose}|{algorithm}|{database}|{epoch}".encode()
    return HKDF(hashes.SHA256(), 32, None, info).derive(SECRET)


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def proof(purpose):
    return mac(derive(purpose, "HMAC-SHA256"), TOKEN + GENERATION.to_bytes(4, "big"))


def sealed(purpose, bind=None):
    generation = GENERATION.to_bytes(4, "big")
    bound = b"" if bind is None else hashlib.sha256(bind).digest()
    tag = mac(derive(purpose, "HMAC-SHA256"), TOKEN + generation + bound)
    return TOKEN.decode() + base64url(generation + tag[:20])


EPOCH = NOW // 1_000 // KEY_ROTATION
THUMBPRINT = base64url(hashlib.sha256(b"a public key").digest())
ED25519 = Ed25519PrivateKey.from_private_bytes(derive("access-token", "EdDSA", epoch=EPOCH))
PUBLIC = ED25519.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
HMAC_KEY = derive("access-token", "HS256", epoch=EPOCH)
ANTI_CSRF = base64url(proof("anti-csrf")[:24])

for purpose in ["refresh-token", "cookie-token", "anti-csrf", "id-refresh", "jti"]:
    print(f"key for {purpose}:", derive(purpose, "HMAC-SHA256").hex())
print("seed for EdDSA:", derive("access-token", "EdDSA", epoch=EPOCH).hex())
print("key for HS256:", HMAC_KEY.hex())
print("fingerprint:", derive("fingerprint", "HKDF-SHA256", 0, 0)[:6].hex())
print("refresh token:", sealed("refresh-token"))
print("cookie token:", sealed("cookie-token"))
print("thumbprint:", THUMBPRINT)
print("refresh token bound to it:", sealed("refresh-token", THUMBPRINT.encode()))
print("anti-CSRF token:", ANTI_CSRF)
print("idRefresh token:", base64url(proof("id-refresh")[:24]))
print("public key:", base64url(PUBLIC))

seconds = NOW // 1_000
claims = (
    f'{{"sub":"alice","sid":"{TOKEN.decode()}","gen":{GENERATION},"iat":{seconds},"exp":{seconds + 3600},'
    f'"iss":"https://issuer.example","aud":"web","csrf":"{ANTI_CSRF}","cnf":{{"jkt":"{THUMBPRINT}"}},'
    '"role":"admin","n":1.50'
)
token_id = base64url(mac(derive("jti", "HMAC-SHA256"), claims.encode())[:12])
claims += f',"jti":"{token_id}"}}'
for algorithm, identity, sign in [
    ("EdDSA", hashlib.sha256(PUBLIC).digest(), ED25519.sign),
    ("HS256", mac(HMAC_KEY, b"kid"), lambda message: mac(HMAC_KEY, message)),
]:
    kid = base64url(identity[:12])
    header = f'{{"alg":"{algorithm}","typ":"at+jwt","kid":"{kid}"}}'
    message = base64url(header.encode()) + "." + base64url(claims.encode())
    print(f"{algorithm} kid: {kid}")
    print(f"{algorithm} access token:", message + "." + base64url(sign(message.encode())))
