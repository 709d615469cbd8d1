"""What DeltaBot, AutoModerator and the moderators write, and the awards they speak of.

DeltaBot's sentences are the facts of its eras (alexames/DeltaBot, delta-bot-three, delta-bot-four);
all other wording is ours.
"""

DELTABOT, AUTOMODERATOR = "DeltaBot", "AutoModerator"
THIRD_BOT, FOURTH_BOT = 1_480_550_400, 1_527_811_200  # December 2016, June 2018: DeltaBot's versions, Unix seconds
_WIKI = "/r/changemyview/wiki"
_FOOTER = (
    f"\n\n^[Delta\u00a0System\u00a0Explained](https://www.reddit.com{_WIKI}/deltasystem) "
    f"^| ^[Deltaboards](https://www.reddit.com{_WIKI}/deltaboards)"
)
_MODERATORS = (
    "The moderators have confirmed, either contextually or directly, that this is a delta-worthy acknowledgement "
    "of change.\n\n"
)
SIGNS = ("!delta {}", "{}\n\n!Delta", "\u2206 {}", "{} \u0394", "&amp;#8710; {}", "&#8710; {}")
FOOTNOTE = (
    "\n\n_____\n\n&gt; *Hello, users of CMV! This is a footnote from your moderators. Before you reply, please* "
    "***[read our rules](https://www.reddit.com/r/changemyview/wiki/rules)***. *A reply is a better answer than a "
    "vote. Questions go to our* ***[mail](https://www.reddit.com/message/compose?to=/r/changemyview)***. "
    "*Happy CMVing!*"
)
NOTICE = (
    "Welcome to this post. *I am a bot, and this was written by itself.* Please be kind, and see "
    "[our rules](https://www.reddit.com/r/changemyview/wiki/rules)."
)


def confirmation(name: str, created: int, number: int) -> str:
    """DeltaBot's confirmation of a delta for ``name``; every 20th ``number`` is a moderator's."""
    if created < THIRD_BOT:
        return f"Confirmed: 1 delta awarded to /u/{name}. ^[[History]({_WIKI}/user/{name})]"
    shown = name.replace("_", "\\_")
    award = f"1 delta awarded to /u/{shown} ([{number % 40 + 1}\u2206]({_WIKI}/user/{name}))."
    if number % 20 == 0:
        return _MODERATORS + award + _FOOTER
    hidden = _hidden(name) if created < FOURTH_BOT else ""
    return f"Confirmed: {award}{_FOOTER}{hidden}"


def rejection(name: str, created: int) -> str:
    """DeltaBot's refusal of a delta that came with too few words."""
    if created < THIRD_BOT:
        return (
            "This delta is currently disallowed as your comment contains either no or little text. "
            f"Please include an explanation for how /u/{name} changed your view."
        )
    return (
        "This delta has been rejected. The length of your comment suggests that you haven't properly explained how "
        f"/u/{name} changed your view (comment rule 4).{_FOOTER}"
    )


def sticky(name: str, awards: int) -> str:
    """DeltaBot's summary on top of a thread, which is no award."""
    return (
        f"/u/{name} (OP) has awarded {awards} delta(s) in this post.\n\nAll comments that earned deltas (from OP or "
        f"other users) are listed [here](/r/DeltaLog/comments/x/), in /r/DeltaLog.{_FOOTER}"
    )


def _hidden(name: str) -> str:
    record = f'{{"comment":"This-s---delta...","issues":{{}},"parentUserName":"{name}"}}'
    return f"\n[\u200b](HTTP://DB3PARAMSSTART{record}DB3PARAMSEND)"
