"""Verifies access tokens as a back end in Python would: with PyJWT and a JSON Web Key Set.

Reads {"jwks", "issuer", "audience", "tokens": [...]}; writes for each token its claims, or the name of the error.
"""

import json
import sys

import jwt

given = json.load(sys.stdin)
keys = jwt.PyJWKSet.from_dict(given["jwks"])


def verify(token):
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        options = {"issuer": given["issuer"], "audience": given["audience"]}
        return jwt.decode(token, key, algorithms=["EdDSA"], **options)
    except (jwt.PyJWTError, KeyError) as error:
        return type(error).__name__


print(json.dumps([verify(token) for token in given["tokens"]]))
