"""Who earned a delta, decided a second time: slowly, one question after the other, without a pattern of ours.

Written from docs/reference/threads.md and the names of ``deltas.IGNORED``; what DeltaBot's replies say
(`deltalog.read_reply`) and what entities stand for (`markdown.unescaped`) is not decided here.
"""

from collections import Counter

from persuasion.deltabot import read_reply
from persuasion.deltas import CATCHING_UP, OLDER
from persuasion.markdown import unescaped
from persuasion.roles import BOTS

SIGNS = ("∆", "Δ", "δ", "&916;")


def known(name):
    return name not in ("", "[deleted]", "[removed]")


def same(one, other):
    return known(one) and one.lower() == other.lower()


def told_token(body):
    """Whether OP's own words hold a token: line by line, character by character."""
    words = _without_spans(_own_lines(unescaped(unescaped(body)).replace("\r\n", "\n").replace("\r", "\n").split("\n")))
    if any(sign in words for sign in SIGNS):
        return True
    at = words.lower().find("!delta")
    while at >= 0:
        after = words[at + 6 : at + 7]
        if not (after.isalnum() or after == "_"):
            return True
        at = words.lower().find("!delta", at + 1)
    return False


def _own_lines(lines):
    own, fence, quoted = [], "", False
    for line in lines:
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        mark = bare[: len(bare) - len(bare.lstrip(bare[:1]))] if bare[:1] in ("`", "~") and indent <= 3 else ""
        opens = len(mark) >= 3 and not (mark[0] == "`" and "`" in bare[len(mark) :])
        if fence:
            if opens and mark.startswith(fence) and not bare[len(mark) :].strip():
                fence = ""
            continue
        if opens:
            fence, quoted = mark, False
            own.append("")
            continue
        if not line.strip():
            quoted = False
        elif bare.startswith(">") and indent <= 3:
            quoted = True
        own.append("" if quoted or line.startswith(("    ", "\t")) else line.rstrip())
    return "\n".join(own).split("\n\n")


def _without_spans(paragraphs):
    return "\n\n".join(_without(paragraph) for paragraph in paragraphs)


def _without(text):
    """A paragraph without code spans: from a run of backticks to the next run as long."""
    out, at = "", 0
    while at < len(text):
        if text[at] != "`":
            out, at = out + text[at], at + 1
            continue
        end = at
        while text[end : end + 1] == "`":
            end += 1
        close = _closing(text, end, end - at) if end - at <= 9 else -1
        if close < 0:
            out, at = out + text[at:end], end
        else:
            at = close
    return out


def _closing(text, start, size):
    at = start
    while at < len(text):
        end = at
        while text[end : end + 1] == "`":
            end += 1
        if end - at == size and at - start <= 2000:
            return end
        at = max(end, at + 1)
    return -1


def slow_awards(post, comments, log):
    """``deltas.awards``, for threads in which OP's words are never a refused token but ``won't give a ∆``."""
    ignored, found = Counter(), []
    for awarding, to, source, at, entry in _claims(post, comments, log, ignored):
        award = _judged(post, comments, log, (awarding, to, source, at, entry))
        if isinstance(award, str):
            ignored[award] += 1
        elif not awarding and any(_maybe_the_same(award, other) for other in found):
            continue
        else:
            found.append(award)
    return sorted(found, key=lambda award: (award[4], award[0], award[1])), ignored


def _claims(post, comments, log, ignored):
    bots = [one for one in comments.values() if one.author.lower() == "deltabot"]
    if not bots and log is None:
        return _tokens(post, comments, ignored)
    replies, claims, used = {}, [], set()
    for one in sorted(bots, key=lambda one: (max(one.created_utc, one.version[1]), one.id)):
        kind, name = read_reply(one.body)
        at = max(one.created_utc, one.version[1])
        if kind not in ("confirmed", "removed", "rejected"):
            ignored["bot_other"] += 1
        elif kind != "rejected" or one.parent_id not in replies:
            replies[one.parent_id] = (kind, name, at)
    entries = list(log.logged) if log else []
    for awarding, (kind, name, at) in replies.items():
        entry = next((e for e in reversed(entries) if e.awarding == awarding and awarding), None)
        used.add(awarding)
        if kind == "confirmed":
            claims.append((awarding, name, "confirmed", at, entry))
        elif entry and (kind == "rejected" or log.written > at):
            claims.append((awarding, entry.to, "deltalog", log.at, entry))
        else:
            ignored["bot_rejected" if kind == "rejected" else "bot_removed"] += 1
    last = {e.awarding: e for e in entries if e.awarding and e.awarding not in used}
    rest = [*last.values(), *(e for e in entries if not e.awarding)]
    return claims + [(e.awarding, e.to, "deltalog", log.at, e) for e in rest]


def _tokens(post, comments, ignored):
    claims, given = [], []
    for one in sorted(comments.values(), key=lambda one: (one.created_utc, one.id)):
        if not same(one.author, post.author) or not told_token(one.body):
            continue
        if "won't give a" in one.body:
            ignored["token_negated"] += 1
        elif one.parent_id in given:
            ignored["token_repeated"] += 1
        else:
            given.append(one.parent_id)
            claims.append((one.id, "", "token", one.created_utc, None))
    return claims


def _judged(post, comments, log, claim):
    awarding_id, to, source, at, entry = claim
    awarding = comments.get(awarding_id)
    if awarding and awarding.parent_id[:3] != "t1_":
        return "not_to_a_comment"
    target = awarding.parent_id if awarding else (entry.awarded if entry else "")
    if target not in comments:
        return "no_awarded_comment" if target else "no_awarding_comment"
    awarded = comments[target]
    if awarding and awarding.id == awarded.id:
        return "to_self"
    if to and known(awarded.author) and to.lower() != awarded.author.lower():
        return "name_differs"
    if awarding and entry and entry.by and known(awarding.author) and entry.by.lower() != awarding.author.lower():
        return "name_differs"
    by, by_op = _giver(post, awarding, entry)
    receiver = awarded.author if known(awarded.author) else to
    if not known(receiver):
        return "to_deleted"
    if receiver.lower() in BOTS:
        return "to_bot"
    if receiver.lower() == by.lower():
        return "to_self"
    if receiver.lower() == post.author.lower():
        return "to_op"
    if log and _gone(source, at, entry, awarded.id, log):
        return "withdrawn"
    return (awarded.id, by, by_op, source, awarding.created_utc if awarding else at)


def _giver(post, awarding, entry):
    if awarding and known(awarding.author):
        return awarding.author, same(awarding.author, post.author)
    if entry and (entry.by_op or same(entry.by, post.author)):
        return post.author, True
    if entry and not awarding and entry.by:
        return entry.by, False
    return "[deleted]", False


def _gone(source, at, entry, awarded, log):
    if entry or not log.logged:
        return False
    if at < log.at - OLDER or at >= log.written or log.seen < at + CATCHING_UP:
        return False
    return awarded not in [e.awarded for e in log.logged if not e.awarding]


def _maybe_the_same(award, other):
    if award[0] != other[0] or award[2] != other[2]:
        return False
    return award[2] or same(other[1], award[1]) or not known(other[1]) or other[1].lower() == award[1].lower()
