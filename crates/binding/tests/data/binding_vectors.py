"""Writes binding-vectors.json: STIX objects bound by JWS (L-130), made by an implementation that shares no code with ours.

    python3 binding_vectors.py > binding-vectors.json      (needs the package `cryptography`)

The keys are made anew and thrown away. Canonical JSON is Python's own: the objects hold no numbers beyond small integers.
"""
import base64, hashlib, json
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXTENSION = "extension-definition--9f4b180b-6d15-443a-8be9-defc2f03dc64"
OWNER = "identity--00000000-0000-4000-8000-0000000000aa"
MARKINGS = ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


def jcs(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


es, rs, ed = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()


def sign(algorithm, message):
    if algorithm == "ES256":
        r, s = decode_dss_signature(es.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if algorithm == "RS256":
        return rs.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return ed.sign(message)


point, modulus = es.public_key().public_numbers(), rs.public_key().public_numbers()
keys = [
    {"kid": "es", "kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))},
    {"kid": "rs", "kty": "RSA", "n": b64(number(modulus.n)), "e": b64(number(modulus.e))},
    {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": b64(ed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))},
]
for key in keys:
    key |= {"identities": [OWNER], "until": "2027-01-01T00:00:00Z"}

objects = []
for n, (algorithm, kid) in enumerate([("ES256", "es"), ("RS256", "rs"), ("EdDSA", "ed")]):
    bare = {
        "type": "report", "spec_version": "2.1", "id": f"report--{n:08x}-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "created_by_ref": OWNER,
        "name": "Beobachtung über Häfen \u20ac \U0001f6a2", "published": "2026-01-01T00:00:00Z", "confidence": 70,
        "object_refs": [OWNER], "object_marking_refs": MARKINGS,
    }
    if n == 1:
        bare["extensions"] = {"extension-definition--00000000-0000-4000-8000-000000000009": {"extension_type": "property-extension", "x": 1}}
    digest = b64(hashlib.sha384(jcs(bare)).digest())
    payload = jcs({"digest": digest, "id": bare["id"], "marking_refs": sorted(MARKINGS), "modified": bare["modified"], "signed_at": "2026-03-01T00:00:00Z"})
    header = b64(jcs({"alg": algorithm, "kid": kid}))
    jws = header + ".." + b64(sign(algorithm, f"{header}.{b64(payload)}".encode()))
    bound = json.loads(json.dumps(bare))
    bound.setdefault("extensions", {})[EXTENSION] = {"extension_type": "property-extension", "bindings": [{
        "marking_refs": MARKINGS, "alg": "sha-384", "canon": "jcs", "without": [f"/extensions/{EXTENSION}"],
        "digest": digest, "signed_at": "2026-03-01T00:00:00Z", "jws": jws}]}
    objects.append({"algorithm": algorithm, "kid": kid, "digest": digest, "object": bound})

print(json.dumps({"keys": {"keys": keys}, "objects": objects}, indent=1))
