// Verifies access tokens as a back end in JavaScript would: with `jose` and a JSON Web Key Set.
// Reads {"jwks", "issuer", "audience", "tokens": [...]}; writes for each token its claims, or the name of the error.

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

// Node 18 has it, but under another name.
globalThis.crypto ??= webcrypto;
const { createLocalJWKSet, jwtVerify } = await import("jose");

const { jwks, issuer, audience, tokens } = JSON.parse(readFileSync(0, "utf8"));
const keys = createLocalJWKSet(jwks);
const verify = async (token) => {
  try {
    return (await jwtVerify(token, keys, { issuer, audience, typ: "at+jwt" })).payload;
  } catch (error) {
    return error.code ?? String(error);
  }
};
console.log(JSON.stringify(await Promise.all(tokens.map(verify))));
