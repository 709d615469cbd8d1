"""One thread of the synthetic dump on its way to raw lines: who says what, when, under which number.

Post and comments share one range of numbers, as on Reddit an id says nothing without its kind: the
first comment of every 64th thread has its post's number.
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from persuasion import fauna
from persuasion.grammar import Discussion, Remark
from persuasion.rawform import DELETED, REMOVED, Said, base36, raw_comment, raw_submission
from persuasion.records import Truth

FIRST, LAST = 1_359_676_800, 1_575_158_400  # 2013-02-01 and 2019-12-01, Unix seconds
FIRST_NUMBER, NUMBERS_PER_THREAD = 60_000_000, 100
REGULARS = ("BrightHarbor", "slow_otter", "TeaAndMaps", "quietcorner", "North_Lamp")
ADJECTIVES = ("Calm", "quiet", "Green", "late", "Brave", "plain", "Warm", "early", "Odd", "gentle")
NOUNS = ("Harbor", "_walker", "Lantern", "_teapot", "Meadow", "_pencil", "River", "_owl", "Bicycle", "_stone")

Line = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Dump:
    """The raw lines of both files and the answer key."""

    submissions: list[Line] = field(default_factory=list)
    comments: list[Line] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)


class Scene:
    """One thread on its way to raw lines: who says what, when, under which number."""

    def __init__(self, index: int, talk: Discussion, rng: Random, dump: Dump) -> None:
        self.index, self.talk, self.rng, self.dump = index, talk, rng, dump
        self.post = FIRST_NUMBER + index * NUMBERS_PER_THREAD
        self.created = self.now = rng.randrange(FIRST, LAST)
        self.next_number = self.post + (index % 64 != 0)
        self.names = 0
        self.op = rng.choice(REGULARS) if self.chance(0.03) else self.name()
        self.lines: list[Line] = []
        self.winners: list[str] = []
        self.op_reply = ""

    def chance(self, share: float) -> bool:
        """True in ``share`` of the cases."""
        return self.rng.random() < share

    def name(self) -> str:
        """A new account's name, unlike any other of the dump."""
        self.names += 1
        return f"{self.rng.choice(ADJECTIVES)}{self.rng.choice(NOUNS)}{self.index * 100 + self.names}"

    def say(self, author: str, body: str, parent: str = "", **more: Any) -> str:
        """Add a comment under ``parent`` (default: the post) some minutes later; give its id with kind."""
        self.now += self.rng.randrange(60, 3600)
        flair = f"{self.rng.randint(1, 40)}∆" if self.chance(0.3) and author != DELETED else None
        said = Said(
            number=self.next_number,
            author=author,
            body=body,
            created=self.now,
            score=self.rng.randint(-3, 60),
            flair=flair,
            **{"edited": 1800 if "edit" in body.lower() else 0} | more,
        )
        self.next_number += 1
        line = raw_comment(said, self.post, parent or f"t3_{base36(self.post)}", author == self.op)
        self.lines.append(line)
        return f"t1_{line['id']}"

    def play(self) -> None:
        """Comments that the original poster reads, their answers, comments that come too late, then the rest."""
        early = [(remark, *self.remark(remark)) for remark in self.talk.remarks if remark.early]
        for remark, who, where in early:
            if remark.delta:
                self.award(self.op, who, where)
        if early:
            self.last_visit(self.rng.choice(early)[2])
        late = [self.remark(remark) for remark in self.talk.remarks if not remark.early]
        self.side_talk(*self.rng.choice(late))
        self.bystanders()
        self.submit(present=bool(early))
        self.duplicate()
        self.dump.comments += self.lines

    def remark(self, remark: Remark) -> tuple[str, str]:
        """A top-level comment of the grammar and its row of truth; gives author and id."""
        who, talk = self.name(), self.talk
        where = self.say(who, fauna.dressed_comment(self.rng, remark.text, talk.body, remark.delta))
        thread = f"t3_{base36(self.post)}"
        self.dump.truth.append(Truth(comment_id=where, thread_id=thread, kind=talk.kind, chance=remark.chance))
        return who, where

    def award(self, by: str, who: str, where: str) -> None:
        """A delta for ``who``: sometimes refused as too short first, without its token, or missed by the bot."""
        view = self.talk.view
        if self.chance(0.05):
            short = self.say(by, fauna.token(self.rng, self.now), where)
            self.say(fauna.BOT, fauna.refusal("short", who, self.now), short)
        if self.chance(0.03):
            reply = self.say(by, fauna.filled(self.rng, fauna.AWARDS, view), where, edited=7200)
        else:
            reply = self.say(by, fauna.award(self.rng, view, self.now), where)
            if self.chance(0.03):
                return
        self.say(fauna.BOT, fauna.confirmation(self.rng, who, self.now), reply)
        if by == self.op:
            self.winners.append(who)

    def last_visit(self, where: str) -> None:
        """The original poster answers without a delta, and now and then gives one to a nested comment."""
        if self.chance(0.05):
            child = self.name()
            self.award(self.op, child, self.say(child, fauna.filled(self.rng, fauna.CHATTER, self.talk.view), where))
        self.op_reply = self.say(self.op, fauna.filled(self.rng, fauna.REPLIES, self.talk.view), where)

    def side_talk(self, who: str, where: str) -> None:
        """Nested comments under a late one, with awards and refusals that make no pair."""
        rng, view = self.rng, self.talk.view
        if self.chance(0.4):
            self.say(self.name(), fauna.filled(rng, fauna.CHATTER, view), where)
        if self.chance(0.04):
            self.award(self.name(), who, where)
        if self.winners and self.chance(0.06):
            asker = self.name()
            nested = self.say(asker, fauna.filled(rng, fauna.CHATTER, view), where)
            deeper = self.say(self.name(), fauna.filled(rng, fauna.CHATTER, view), nested)
            self.say(asker, f"&gt; {fauna.token(rng, self.now)}\n\nIs this what a delta looks like?", deeper)
        if self.chance(0.04):
            grateful = self.name()
            theirs = self.say(grateful, fauna.filled(rng, fauna.CHATTER, view), where)
            reason = "op" if self.op_reply and self.chance(0.5) else "self"
            attempt = self.say(grateful, fauna.award(rng, view, self.now), self.op_reply if reason == "op" else theirs)
            self.say(fauna.BOT, fauna.refusal(reason, grateful, self.now), attempt)

    def bystanders(self) -> None:
        """Bots, moderators, deleted comments and comments whose parent is not in the dump."""
        if self.winners and self.chance(0.25):
            self.say(fauna.BOT, fauna.sticky(self.op, len(self.winners)), distinguished="moderator", stickied=True)
        if self.chance(0.1):
            self.say("AutoModerator", fauna.AUTOMODERATOR, distinguished="moderator", stickied=True)
        if self.chance(0.12):
            self.say(DELETED, DELETED)
        if self.chance(0.06):
            offender = self.name()
            removed = self.say(offender, REMOVED)
            self.say("RulesAndTea", fauna.NOTICE.format(name=offender), removed, distinguished="moderator")
        if self.chance(0.04):
            self.say(DELETED, fauna.filled(self.rng, fauna.CHATTER, self.talk.view))
        if self.chance(0.03):
            missing = f"t1_{base36(self.post + NUMBERS_PER_THREAD - 1)}"
            self.say(self.name(), fauna.filled(self.rng, fauna.CHATTER, self.talk.view), missing)

    def submit(self, present: bool) -> None:
        """The post; without its author's presence it may have been deleted, removed, or never crawled."""
        winner = self.winners[0] if self.winners else ""
        body = fauna.dressed_post(self.rng, self.talk.body, self.talk.view, winner)
        fate = "" if present else self.rng.choice(("", "deleted", "removed", "absent"))
        said = Said(
            number=self.post,
            author=DELETED if fate == "deleted" else self.op,
            body=REMOVED if fate == "removed" else body,
            created=self.created,
            score=self.rng.randint(0, 900),
            edited=86_400 if "edit" in body.lower() else 0,
        )
        title = fauna.dressed_title(self.rng, self.talk.claim, self.created)
        if fate != "absent":
            link_flair = "[∆(s) from OP]" if self.winners else None
            self.dump.submissions.append(raw_submission(said, title, len(self.lines), link_flair))
        if self.chance(0.015):
            note = replace(said, number=self.post + 98, author="RulesAndTea", body="A note.", distinguished="moderator")
            self.dump.submissions.append(raw_submission(note, self.rng.choice(fauna.META), 0, None))

    def duplicate(self) -> None:
        """Now and then one comment was crawled twice, with a later score."""
        if self.chance(0.02):
            line = self.rng.choice(self.lines)
            self.lines.append(line | {"score": (line["score"] or 0) + 1})
