// Takes Set-Cookie values as a browser would (`tough-cookie`), and as an HTTP client that only reads them
// (`set-cookie-parser`). Reads {"url", "responses": [[set-cookie values], ...], "asked": [urls]}; writes what was parsed
// of each response, what was rejected, and the names of the cookies that are sent to each of the URLs in the end.

import { readFileSync } from "node:fs";
import { parseSetCookie } from "set-cookie-parser";
import { CookieJar } from "tough-cookie";

const { url, responses, asked } = JSON.parse(readFileSync(0, "utf8"));
const jar = new CookieJar(undefined, { prefixSecurity: "strict" });
const rejected = [];
for (const value of responses.flat()) {
  await jar.setCookie(value, url).catch((error) => rejected.push(String(error)));
}
const sent = await Promise.all(asked.map(async (to) => (await jar.getCookies(to)).map((cookie) => cookie.key).sort()));
const parsed = responses.map((values) => parseSetCookie(values));
console.log(JSON.stringify({ parsed, rejected, sent }));
