#!/usr/bin/env python3
"""Runs a command in a pseudo-terminal and draws what it left on the screen as an SVG.

    docs/capture.py docs/develop.svg -- target/release/playhouse develop "…"

Only the standard library is used. What is understood: text, line breaks, carriage returns, tabs, colours, and
the cursor movements and erasures of progress bars.
"""

import argparse
import html
import os
import pty
import re
import select
import struct
import sys
import termios
import textwrap
import unicodedata
from fcntl import ioctl

COLUMNS = 100
ROWS = 60
CHAR_WIDTH, LINE_HEIGHT, MARGIN, BAR = 8.4, 19, 18, 30
COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea"}
PLAIN, DIM, BACKGROUND, FRAME = "#e6edf3", "#8b949e", "#0d1117", "#30363d"
SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b.")


class Screen:
    """Lines of cells; a cell is a character with its style. Old lines are kept above."""

    def __init__(self):
        self.lines = [[]]
        self.row = self.column = 0
        self.style = (None, False, False)

    def feed(self, text):
        at = 0
        while at < len(text):
            match = SEQUENCE.match(text, at)
            if match:
                self.sequence(match.group(1), match.group(2))
                at = match.end()
            elif text[at] == "\x1b":
                return text[at:]
            else:
                self.put(text[at])
                at += 1
        return ""

    def put(self, char):
        if char == "\n":
            self.row += 1
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(COLUMNS - 1, self.column // 8 * 8 + 8)
        elif char >= " ":
            if self.column >= COLUMNS:
                self.row, self.column = self.row + 1, 0
            line = self.line()
            line.extend([(" ", (None, False, False))] * (self.column + 1 - len(line)))
            line[self.column] = (char, self.style)
            self.column += 1
        self.line()

    def line(self):
        while len(self.lines) <= self.row:
            self.lines.append([])
        return self.lines[self.row]

    def sequence(self, parameters, kind):
        numbers = [int(n) for n in (parameters or "").replace("?", "").split(";") if n]
        first = numbers[0] if numbers else 1
        if kind == "A":
            self.row = max(0, self.row - first)
        elif kind == "B":
            self.row += first
        elif kind == "C":
            self.column = min(COLUMNS - 1, self.column + first)
        elif kind == "D":
            self.column = max(0, self.column - first)
        elif kind == "G":
            self.column = first - 1
        elif kind == "K":
            if numbers and numbers[0] == 2:
                self.line().clear()
            else:
                del self.line()[self.column :]
        elif kind == "J":
            del self.line()[self.column :]
            del self.lines[self.row + 1 :]
        elif kind == "m":
            self.paint(numbers or [0])

    def paint(self, numbers):
        colour, bold, dim = self.style
        for number in numbers:
            if number == 0:
                colour, bold, dim = None, False, False
            elif number == 1:
                bold = True
            elif number == 2:
                dim = True
            elif number == 22:
                bold = dim = False
            elif number in COLOURS:
                colour = COLOURS[number]
            elif number == 39:
                colour = None
        self.style = (colour, bold, dim)


def run(command):
    """The screen after the command, and its exit code."""
    screen, rest, pending = Screen(), "", b""
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    while True:
        select.select([terminal], [], [])
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            break
        pending += data
        # A character may be cut between two reads.
        text = pending.decode("utf-8", "ignore" if len(pending) > 65536 else "surrogateescape")
        keep = len(text)
        while keep and unicodedata.category(text[keep - 1]) == "Cs":
            keep -= 1
        pending = text[keep:].encode("utf-8", "surrogateescape")
        rest = screen.feed(rest + text[:keep])
    return screen, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def spans(line):
    """Runs of cells with the same style: column, text, style."""
    found = []
    for column, (char, style) in enumerate(line):
        if found and found[-1][2] == style:
            found[-1][1] += char
        else:
            found.append([column, char, style])
    # Blanks at the beginning are told by the place: not every viewer keeps them.
    return [
        (column + len(text) - len(text.lstrip()), text.strip(), style)
        for column, text, style in found
        if text.strip()
    ]


def draw(title, lines):
    width = round(COLUMNS * CHAR_WIDTH + 2 * MARGIN)
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN + BAR
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{BACKGROUND}" stroke="{FRAME}"/>',
    ]
    for at, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{20 + 18 * at}" cy="18" r="5.5" fill="{colour}"/>')
    out.append(
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
        f'font-size="14" fill="{PLAIN}" xml:space="preserve">'
    )
    for number, line in enumerate(lines):
        y = BAR + MARGIN + number * LINE_HEIGHT + 14
        for column, text, (colour, bold, dim) in spans(line):
            fill = f' fill="{colour or DIM}"' if colour or dim else ""
            weight = ' font-weight="bold"' if bold else ""
            x = MARGIN + column * CHAR_WIDTH
            # The length is given, so that the columns stand whatever font the reader has.
            length = f'{len(text) * CHAR_WIDTH:.1f}'
            out.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{length}"{fill}{weight}>{html.escape(text)}</text>'
            )
    return "\n".join(out + ["</g>", "</svg>", ""])


def prompt(command):
    """The command as it would be typed, in the first lines."""
    words = ["playhouse" if at == 0 else word for at, word in enumerate(command)]
    typed = " ".join(f'"{word}"' if " " in word else word for word in words)
    screen = Screen()
    for at, line in enumerate(textwrap.wrap(typed, COLUMNS - 4, break_on_hyphens=False)):
        before = "    " if at else "\x1b[1;32m$\x1b[0m "
        screen.feed(f"{before}\x1b[1m{line}\x1b[0m\r\n")
    return screen.lines[:-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("svg", help="the file to write")
    parser.add_argument("--head", type=int, default=12, help="lines that are kept of the beginning")
    parser.add_argument("--tail", type=int, default=48, help="lines that are kept of the end")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command")
    arguments = parser.parse_args()
    command = [word for at, word in enumerate(arguments.command) if at or word != "--"]
    if not command:
        parser.error("there is no command")
    screen, code = run(command)
    lines = screen.lines
    while lines and not "".join(char for char, _ in lines[-1]).strip():
        lines.pop()
    left_out = len(lines) - arguments.head - arguments.tail
    if left_out > 1:
        gap = Screen()
        gap.feed(f"\x1b[2m  … {left_out} lines …\x1b[0m")
        lines = lines[: arguments.head] + gap.lines + lines[len(lines) - arguments.tail :]
    with open(arguments.svg, "w", encoding="utf-8") as file:
        file.write(draw("playhouse " + " ".join(command[1:]), prompt(command) + lines))
    print(f"{arguments.svg}: {len(lines)} lines, exit code {code}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
