"""What lives around the arguments in r/changemyview: bots, moderators, footnotes, edits, awards.

Every text here is one that ``extract`` or ``pair`` must recognise or scrub. DeltaBot's sentences are
the facts of its eras (2013 to 2019); all other wording is ours. Texts are raw (entities escaped).
"""

from random import Random

from persuasion.grammar import View
from persuasion.rawform import SUBREDDIT, escaped, month

BOT = "DeltaBot"
WIKI = f"/r/{SUBREDDIT}/wiki"
TOKENS_BY_YEAR = {2013: ("∆", "&amp;#8710;", "&#8710;"), 2014: ("∆", "Δ", "&amp;#8710;", "&#8710;")}
TOKENS = ("!delta", "!delta", "!Delta", "∆", "Δ", "&amp;#8710;", "&#8710;")
ZERO_WIDTH = ("&amp;#x200B;", "\u200b", "\ufeff")

FOOTNOTES = (
    "*Hello, users of CMV! This is a footnote from your moderators. Before you reply, please* "
    "***[read our rules](https://www.reddit.com/r/changemyview/wiki/rules)***. *Voting is no way to disagree; "
    "a reply is. Questions go to our* ***[mail](https://www.reddit.com/message/compose?to=/r/changemyview)***. "
    "*Happy CMVing!*",
    "*Hello, users of CMV! This is a footnote from your moderators. If you see a comment that breaks a rule, "
    "please report it rather than answer it. Happy CMVing!*",
    "*This is a footnote from the CMV moderators. A view may be changed in part, and a delta is due for that too. "
    "[More about deltas](/r/changemyview/wiki/deltasystem). Happy CMVing!*",
)
NEWS = (
    "EDIT: Delta awarded, {winner} showed me a side of {b} that I had missed.",
    "**Edit:** My view has been changed in part by /u/{winner}, thank you all.",
    "EDIT 2: ∆ given. I will try {b} now.",
    "UPDATE: I have given out a delta and will read the rest tomorrow.",
)
SMALL_EDITS = ("Edit: a word was missing.", "EDIT: spelling", "*Edit*: made the first sentence clearer.")
THANKS = ("Edit: thanks for the delta!", "EDIT: Thank you for the ∆, OP.", "**EDIT** - Thanks for the deltas!")
AWARDS = (
    "You have changed how I see {b}, because I had given too much weight to {drawback}.",
    "I had not looked at {drawback} in this way, and I will give {b} another month.",
    "This moves me away from my view on {a}, at least in part, so thank you for writing it.",
)
REPLIES = (
    "Thank you, but I am not convinced yet that {b} is the better choice.",
    "I see your point, although {drawback} still matters to me.",
    "I will think about this, and for now I stay with {a}.",
)
CHATTER = (
    "I had the same thought when I read this.",
    "This is what I wanted to say about {b} as well.",
    "Could you say a little more about {drawback}?",
    "My experience with {a} was different, but I see what you mean.",
)
META = ("[Mod Post] A note on titles and flairs", "META: What should our fresh topic on Fridays be?")
NOTICE = (
    "Sorry, u/{name} – your comment has been removed for breaking Rule 5: comments must add to the discussion. "
    "If you would like to appeal, please message the moderators."
)
AUTOMODERATOR = (
    "Hello! Please note that posts here need at least 500 characters. *I am a bot; this was done by itself.*"
)


def filled(rng: Random, texts: tuple[str, ...], view: View) -> str:
    """One of ``texts`` about the acts and drawback of ``view``, escaped."""
    return escaped(rng.choice(texts).format(a=view.a, b=view.b, drawback=view.drawback))


def token(rng: Random, created: int) -> str:
    """A delta as people of that year typed it."""
    return rng.choice(TOKENS_BY_YEAR.get(month(created)[0], TOKENS))


def dressed_title(rng: Random, claim: str, created: int) -> str:
    """The claim with its CMV mark: at the end in 2013, in front later."""
    claim = escaped(claim[0].upper() + claim[1:])
    if month(created) < (2014, 1):
        return f"{claim}. CMV" if rng.random() < 0.5 else f"{claim} CMV"
    return f"CMV: {claim}"


def dressed_post(rng: Random, body: str, view: View, winner: str) -> str:
    """The plain body with zero-width marks, edits (news of a delta when there is a winner) and a footnote."""
    parts = [escaped(body)]
    if rng.random() < 0.06:
        parts.insert(0, rng.choice(ZERO_WIDTH))
    if winner and rng.random() < 0.13:
        parts.append(rng.choice(NEWS).format(winner=winner, b=escaped(view.b)))
    elif rng.random() < 0.1:
        parts.append(rng.choice(SMALL_EDITS))
    if rng.random() < 0.7:
        parts.append(f"_____\n\n&gt; {escaped(rng.choice(FOOTNOTES))}")
    return "\n\n".join(parts)


def dressed_comment(rng: Random, text: str, post: str, won: bool) -> str:
    """The plain text with a quote of the post, zero-width marks or edits, by chances that ignore its worth.

    Only the thanks for a delta depend on ``won``, as in life.
    """
    parts = [escaped(text)]
    if rng.random() < 0.12:
        parts.insert(0, "&gt; " + escaped(rng.choice(post.replace("\n\n", " ").split(". ")[:4]).rstrip(".") + "."))
    if rng.random() < 0.04:
        parts.append(rng.choice(ZERO_WIDTH))
    if won and rng.random() < 0.06:
        parts.append(rng.choice(THANKS))
    elif rng.random() < 0.04:
        parts.append(rng.choice(SMALL_EDITS))
    return "\n\n".join(parts)


def award(rng: Random, view: View, created: int) -> str:
    """A reply that gives a delta with its explanation, token first or last."""
    why, mark = filled(rng, AWARDS, view), token(rng, created)
    return f"{mark}\n\n{why}" if rng.random() < 0.6 else f"{why} {mark}"


def confirmation(rng: Random, name: str, created: int) -> str:
    """DeltaBot's confirmation in the words of its era."""
    when, shown = month(created), name.replace("_", "\\_")
    if when < (2013, 7):
        return f"Confirmed - 1 {rng.choice(('delta', 'point'))} awarded to /u/{name}"
    if when < (2016, 12):
        return f"Confirmed: 1 delta awarded to /u/{name}" + _history(rng, name)
    lead = f"1 delta awarded to /u/{shown} ([{rng.randint(1, 90)}∆]({WIKI}/user/{name}))."
    if rng.random() < 0.05:
        return (
            "The moderators have confirmed, either contextually or directly, that this is a delta-worthy "
            f"acknowledgement of change.\n\n{lead}"
        )
    hidden = _parameters(name, "{}") if when < (2018, 6) else ""
    return f"Confirmed: {lead}{_footer()}{hidden}"


def _history(rng: Random, name: str) -> str:
    return rng.choice(
        (
            ".",
            f" ([History]({WIKI}/{name}))",
            f". [Click here]({WIKI}/{name}) to see a wiki page with other deltas they have received.",
            f". ^[[History]({WIKI}/user/{name})]\n\n^[[Wiki](http://www.reddit.com{WIKI}/deltabot)]"
            "[[Code](https://github.com/alexames/DeltaBot)][/r/DeltaBot]",
        )
    )


def _footer() -> str:
    link = f"https://www.reddit.com{WIKI}"
    return f"\n\n^[Delta\u00a0System\u00a0Explained]({link}/deltasystem) ^| ^[Deltaboards]({link}/deltaboards)"


def _parameters(name: str, issues: str) -> str:
    record = f'{{"comment":"This-s---delta...","issues":{issues},"parentUserName":"{name}"}}'
    return f"\n[\u200b](HTTP://DB3PARAMSSTART{record}DB3PARAMSEND)"


def refusal(reason: str, name: str, created: int) -> str:
    """DeltaBot's refusal (``reason``: short, op or self) in the words of its era."""
    early = month(created) < (2016, 12)
    texts = {
        "short": (
            "This delta is currently disallowed as your comment contains either no or little text. "
            f"Please include an explanation for how /u/{name} changed your view."
            if early
            else "This delta has been rejected. The length of your comment suggests that you haven't properly "
            f"explained how /u/{name} changed your view (comment rule 4)."
        ),
        "op": (
            "You cannot award OP a delta as the moderators feel that allowing so would send the wrong message."
            if early
            else "This delta has been rejected. You can't award OP a delta.\n\nAllowing this would wrongly suggest "
            "that you can post here with the aim of convincing others."
        ),
        "self": "This delta has been rejected. You can't award yourself a delta.",
    }
    return texts[reason] + ("" if early else _footer())


def sticky(op: str, deltas: int) -> str:
    """DeltaBot's summary on top of a thread, which is no award."""
    plural = "s" if deltas > 1 else ""
    return (
        f"/u/{op} (OP) has awarded {deltas} delta{plural} in this post.\n\nAll comments that earned deltas "
        f"(from OP or other users) are listed [here](/r/DeltaLog), in /r/DeltaLog.{_footer()}"
    )
