"""What of a thread may be used, cleaned: posts that can be prompts, top-level comments that can be completions.

Shared by the pairs and by the corpus of the small base model, so that both read the same texts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from persuasion import markdown
from persuasion.config import Pairs
from persuasion.records import BOT, DELETED, MODERATOR, PERSON, Comment, Submission
from persuasion.residue import announces_delta

GONE = ("[deleted]", "[removed]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A post and its comments, cleaned. ``refusal`` says why the post can be no prompt ("" when it can).

    ``texts`` holds the cleaned top-level comments of persons, by id; empty when the post is refused.
    """

    post: Submission
    prompt: str
    refusal: str
    comments: tuple[Comment, ...]
    texts: Mapping[str, str]


def assemble(posts: Iterable[Submission], comments: Iterable[Comment], *, clean: bool) -> list[Thread]:
    """Join posts with their comments; sorted by id whatever the order of rows.

    ``clean`` cleans what may be used; without it texts stay as the source has them.
    """
    by_thread = defaultdict(list)
    for comment in comments:
        by_thread[comment.thread_id].append(comment)
    ordered = sorted(posts, key=lambda post: post.id)
    return [_thread(post, sorted(by_thread[post.id], key=lambda row: row.id), clean=clean) for post in ordered]


def prompt_of(post: Submission, *, clean: bool) -> str:
    """Title, blank line, text; one alone when the other is empty, "" when both are."""
    title, text = post.title, post.selftext
    if clean:
        title, text = markdown.clean_title(title), markdown.clean(text)
    return "\n\n".join(part for part in (title, text) if part)


def unfit(text: str, params: Pairs) -> str:
    """Why a comment can be no completion: its length in words or a ``label_residue``; "" when it can."""
    words = len(text.split())
    if words < params.min_words:
        return "too_short"
    if words > params.max_words:
        return "too_long"
    return residue(text, params)


def residue(text: str, params: Pairs) -> str:
    """``label_residue`` where a text announces the verdict; "" where not, or where nothing was to be cleaned."""
    return "label_residue" if params.clean and announces_delta(text) else ""


def _thread(post: Submission, comments: Sequence[Comment], *, clean: bool) -> Thread:
    prompt = prompt_of(post, clean=clean)
    refusal = _refusal(post, prompt)
    top = [row for row in comments if not refusal and row.parent_id == post.id and row.role == PERSON]
    return Thread(
        post=post,
        prompt="" if refusal else prompt,
        refusal=refusal,
        comments=tuple(comments),
        texts={row.id: markdown.clean(row.body) if clean else row.body for row in top if row.body.strip() not in GONE},
    )


def _refusal(post: Submission, prompt: str) -> str:
    """Why a post can be no prompt; "" when it can. A deleted OP is refused: nobody is known to be OP then."""
    if post.role in (MODERATOR, BOT):
        return "moderator_post"
    if post.role == DELETED and not post.author:
        return "op_deleted"
    if post.role == DELETED or post.selftext.strip() in GONE:
        return "post_removed"
    return "" if prompt.strip() else "empty_post"
