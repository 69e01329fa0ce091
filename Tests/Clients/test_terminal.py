"""`lakehouse sql` as somebody at a terminal has it: keys, completion, history, shortcuts, paging.

The terminal is a pseudo terminal; each step waits for what must appear, never for time.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pytest

from appliance import BINARY, lakehouse, plain_environment

SECONDS = 60
# A prompt that reads keys; what is drawn anew while a line is typed begins otherwise.
PROMPT = r"\?2004h[^\n]*?lakehouse> "


class Screen:
    """A process on a pseudo terminal of 24 rows and 80 columns, and what it wrote since the last step."""

    def __init__(self, *arguments, home):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(
                str(BINARY), [str(BINARY), "sql", *map(str, arguments)],
                {**plain_environment(), "HOME": str(home), "TERM": "xterm"})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = ""

    def expect(self, pattern):
        """Reads until the pattern appears; returns the match and forgets everything up to it."""
        end = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.seen, re.S)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{pattern!r} did not appear in {self.seen[-3000:]!r}"
            try:
                part = os.read(self.terminal, 65536)
            except OSError:
                part = b""
            assert part, f"{pattern!r} did not appear before the end of {self.seen[-3000:]!r}"
            self.seen += part.decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def expect_then_prompt(self, pattern):
        """What is typed before the prompt is back goes to the terminal's own line editing, not to ours."""
        found = self.expect(pattern)
        self.expect(PROMPT)
        return found

    def type(self, text):
        os.write(self.terminal, text.encode())

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def screen(tmp_path):
    (tmp_path / "cities.csv").write_text("name,people\nGraz,300000\nWien,2000000\n")
    made = Screen(tmp_path / "cities.csv", home=tmp_path)
    made.expect(PROMPT)
    yield made
    made.close()


def test_a_statement_of_several_lines_runs_when_it_ends(screen):
    screen.type("select name\r")
    screen.expect("-> ")
    screen.type("from cities order by people desc;\r")
    screen.expect(r"Wien\s+Graz\s+\(2 rows")
    screen.expect("lakehouse> ")


def test_lines_are_edited(screen):
    # Home, a word; end; back over a character, and one deleted to the left.
    screen.type("40 + 2x;\x1b[Hselect \x1b[F\x1b[D\x7f\x1b[F\r")
    screen.expect_then_prompt(r"42\s+\(1 row")
    # Ctrl-U gives the line up, Ctrl-Y brings it back, Alt-B goes back a word.
    screen.type("select 7;\x15\x19\x1bb1\x1b[F\r")
    screen.expect(r"17\s+\(1 row")


def test_tab_completes_keywords_tables_and_columns(screen):
    screen.type("sel\t nam\x1b[D\x1b[D")
    screen.expect("select nam")
    screen.type("\x1b[F from cit\t")
    screen.expect("from cities")
    screen.type("\x1b[H\x1bf\x1bf\t")
    screen.expect("select name from cities")
    screen.type("\x1b[F order by peo\t;\r")
    screen.expect(r"order by people;.*Graz\s+Wien\s+\(2 rows")
    # Several words: what is common, then a list of them.
    screen.type("select regexp_\t\t")
    screen.expect(r"regexp_count\s+regexp_extract")
    screen.type("\x03")
    screen.expect("lakehouse> ")


def test_history_is_searched_and_kept(screen, tmp_path):
    for number in (1, 2, 3):
        screen.type(f"select {number} * 100 as hundreds;\r")
        screen.expect_then_prompt(rf"{number}00\s+\(1 row")
    screen.type("\x1b[A\x1b[A\r")
    screen.expect_then_prompt(r"200\s+\(1 row")
    screen.type("\x12t 1")
    screen.expect(r"\(search\) t 1: select 1 \* 100")
    screen.type("\r\r")
    screen.expect_then_prompt(r"100\s+\(1 row")
    screen.type("\\q\r")
    kept = Screen(tmp_path / "cities.csv", home=tmp_path)
    try:
        kept.expect(PROMPT)
        kept.type("\x12t 3")
        kept.expect(r"\(search\) t 3: select 3 \* 100")
        kept.type("\r\r")
        kept.expect(r"300\s+\(1 row")
    finally:
        kept.close()


def test_shortcuts_and_formats(screen):
    screen.type("\\dt\r")
    screen.expect_then_prompt(r"Table\s+-+\s+cities")
    screen.type("\\d cities\r")
    screen.expect_then_prompt(r"people\s+\|\s+bigint")
    screen.type("\\f markdown\r")
    screen.expect(PROMPT)
    screen.type("select name, people, 'a|b' as bar from cities where people > 1000000;\r")
    screen.expect_then_prompt(
        r"\| name \| people \| bar \|\s+\| --- \| ---: \| --- \|\s+\| Wien \| 2000000 \| a\\\|b \|")
    screen.type("\\f csv\r")
    screen.expect(PROMPT)
    screen.type("\\f xml\r")
    screen.expect_then_prompt("no such format: xml; one of table, csv, json, markdown")
    screen.type("\\nothing\r")
    screen.expect_then_prompt(r"no such command: \\nothing")
    screen.type("\\?\r")
    screen.expect("Tab completes")


def test_f5_explains(screen):
    screen.type("select count(*) from cities\x1b[15~")
    screen.expect(r"Aggregate \[")
    screen.expect("lakehouse> ")


def test_long_results_wait_at_the_end_of_a_screen(screen):
    screen.type("select n from unnest(sequence(1, 100)) as t(n);\r")
    screen.expect(r"\s20\s.*-- more")
    screen.type(" ")
    screen.expect(r"\s42\s.*-- more")
    screen.type("q")
    screen.expect(PROMPT)
    assert "60" not in screen.seen
    screen.type("select 'still ' || 'there';\r")
    screen.expect(r"still there\s+\(1 row")


def test_a_pasted_text_runs_only_when_enter_is_pressed(screen):
    screen.type("\x1b[200~select 'pasted';\nselect 'twice';\n\x1b[201~")
    screen.expect("twice")
    screen.type("\r")
    screen.expect(r"pasted\s+\(1 row.*twice\s+\(1 row")


def test_markdown_and_statements_from_a_pipe(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,\n")
    done = lakehouse("sql", "--markdown", tmp_path / "t.csv", "-c", "select a, b from t order by a")
    assert done.stdout == "| a | b |\n| ---: | --- |\n| 1 | x |\n| 2 |  |\n"
    # Neither a prompt nor keys in a pipe; shortcuts work.
    done = lakehouse("sql", "--csv", tmp_path / "t.csv", stdin="select sum(a) as s\nfrom t;\n\\dt\n")
    assert done.stdout == "s\n3\nTable\nt\n"
