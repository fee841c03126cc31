#!/usr/bin/env python3
"""Runs the redis-cli examples of documentation pages again and writes their real output into the pages.

    make run PORT=6379                              # in another terminal: a server with the module, and no sessions
    tools/examples.py 6379 docs/commands/sh.new.md ...

An example is a code block with lines "127.0.0.1:6379> command"; what follows such a line, to the next one or to the end
of the block, is replaced by the command's output. A first line such as "$ redis-cli -3" gives the options. A line "# 2
seconds later" waits. The tokens and credentials of the page's earlier run stand for those of this one; in a new example
"$1" stands for the first token that the page's commands answered, "$2" for the second, and likewise "$access1" for an
access token, "$sealed1" for a refresh or cookie token and "$proof1" for an idRefresh or anti-CSRF token. Access tokens are
shown shortened. All data is deleted before each page.
"""
import re
import subprocess
import sys
import time

PROMPT = "127.0.0.1:6379> "
KINDS = {
    "": r"sh:[\w-]{25}(?![\w-])",
    "access": r"eyJ[\w-]+\.(?:[\w-]+\.|\.\.)[\w-]+",
    "sealed": r"sh:[\w-]{57}(?![\w-])",
    "proof": r"(?<![\w:-])[\w-]{32}(?![\w-])",
}
TOKEN = re.compile("|".join(KINDS.values()), re.ASCII)
WANTED = re.compile(rf"\$({'|'.join(KINDS)})(\d+)")


def redis_cli(port, command, options=()):
    cli = ["redis-cli", "-p", port, *options]
    return subprocess.run(cli, input=command, capture_output=True, text=True, check=True).stdout.rstrip("\n")


def kind(token):
    return next(kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, token, re.ASCII))


def shown(token):
    return f"{token[:12]}...{token[-8:]}" if kind(token) == "access" else token


class Page:
    def __init__(self, port):
        self.port = port
        self.tokens = []
        self.renamed = {}

    def wanted(self, match):
        return [token for token in self.tokens if kind(token) == match[1]][int(match[2]) - 1]

    def run(self, command, options, old_output):
        command = TOKEN.sub(lambda token: self.renamed.get(token[0], token[0]), command)
        command = WANTED.sub(self.wanted, command)
        output = redis_cli(self.port, command, options)
        new = TOKEN.findall(output)
        self.renamed.update(zip(TOKEN.findall(old_output), new))
        self.renamed.update((shown(token), token) for token in new)
        self.tokens += [token for token in dict.fromkeys(new) if token not in self.tokens]
        shorten = lambda text: TOKEN.sub(lambda token: shown(token[0]), text)
        return [PROMPT + shorten(command), *shorten(output).split("\n")]

    def block(self, lines):
        # A terminal gets the annotated form unless it asks for the raw one.
        options = lines[0].split()[2:] if lines and lines[0].startswith("$ redis-cli ") else []
        options = options if "--raw" in options else ["--no-raw", *options]
        done, i = [], 0
        while i < len(lines):
            line, i = lines[i], i + 1
            if not line.startswith(PROMPT):
                done.append(line)
                if wait := re.match(r"# (\d+) seconds? later", line):
                    time.sleep(int(wait[1]))
                continue
            start = i
            while i < len(lines) and not lines[i].startswith((PROMPT, "# ")):
                i += 1
            done += self.run(line.removeprefix(PROMPT), options, "\n".join(lines[start:i]))
        return done

    def text(self, text):
        redis_cli(self.port, "FLUSHALL")
        done, block = [], None
        for line in text.split("\n"):
            if line.startswith("```") and block is None:
                done.append(line)
                block = []
            elif line.startswith("```"):
                done += [*self.block(block), line]
                block = None
            else:
                (done if block is None else block).append(line)
        return "\n".join(done)


if __name__ == "__main__":
    # redis-cli takes it lightly when nobody answers; the pages would lose their output.
    if redis_cli(sys.argv[1], "PING") != "PONG":
        sys.exit(f"no server on port {sys.argv[1]}")
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as page:
            text = Page(sys.argv[1]).text(page.read())
        with open(path, "w", encoding="utf-8") as page:
            page.write(text)
