"""The word lists of the synthetic sample: everyday, wholesome questions with two good answers each.

Every post prefers one act to another act of its topic because of one drawback, so no topic is
argued against as such (both sides of a therapy post value therapy). Each filler fits each frame
of ``grammar``: acts are gerund phrases, drawbacks singular with "the", gains singular or mass
nouns, groups plural, persons third person singular, spans plural.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A field of life: what people do in it, what bothers them about it, what they gain."""

    acts: tuple[str, ...]
    drawbacks: tuple[str, ...]
    gains: tuple[str, ...]


def _topic(acts: str, drawbacks: str, gains: str) -> Topic:
    parts = (tuple(item.strip() for item in text.split(";")) for text in (acts, drawbacks, gains))
    return Topic(**dict(zip(("acts", "drawbacks", "gains"), parts, strict=True)))


TOPICS: dict[str, Topic] = {
    "sleep": _topic(
        "keeping a fixed bedtime; taking a short nap; reading in bed; dimming the lights at nine;"
        "leaving the phone in the kitchen; waking up with the sun; writing a list before bed;"
        "opening the window at night; playing quiet music in bed; drinking herbal tea before bed;"
        "taking a warm shower at night; stopping work at eight; keeping the bedroom cool; stretching before bed",
        "the strict routine; the boredom; the effort; the slow progress; the discomfort; the temptation",
        "deeper rest; a calm start; a clear head at breakfast; steady energy; a slow evening; more patience",
    ),
    "stress": _topic(
        "planning the week on Sunday; taking a slow breath first; saying no to extra tasks;"
        "keeping a worry notebook; walking around the block; making a pros & cons list;"
        "talking about a bad day; listening to rain sounds; leaving early on Fridays; tidying the desk;"
        "writing down three good things; watering the plants; drawing for ten minutes; leaving a gap between meetings",
        "the effort; the pressure; the interruption; the slow progress; the uncertainty; the repetition",
        "room to think; a lighter week; a steady hand; one free evening; a softer voice at home; a quiet lunch",
    ),
    "therapy": _topic(
        "joining group sessions; having one-to-one sessions; meeting a counsellor online;"
        "keeping a mood diary; bringing notes to a session; asking a counsellor for homework;"
        "seeing a counsellor every week; drawing during a session; setting one goal at a time;"
        "talking things through with a counsellor; booking evening sessions; practising one exercise at home;"
        "making a mood chart; coming with one question",
        "the effort; the pressure; the awkwardness; the preparation; the uncertainty; the repetition",
        "an outside view; a word for each mood; a safe hour each week; a plan for busy days; kinder self-talk;"
        "more patience",
    ),
    "study": _topic(
        "studying in a group; reading the chapter twice; making flash cards; taking notes by hand;"
        "working in the library; starting with the hardest page; using a timer; teaching a friend;"
        "solving old exams; drawing a map of the topic; explaining out loud; reading the summary first;"
        "studying early in the morning; changing the subject every hour",
        "the distraction; the boredom; the repetition; the preparation; the pressure; the slow progress",
        "a clear outline; knowledge that stays; a short revision week; confidence in class; real curiosity;"
        "a good night before the exam",
    ),
    "work": _topic(
        "working from home; answering mail twice a day; holding short meetings; eating lunch with the team;"
        "sharing a calendar; asking for feedback every week; taking a real lunch break;"
        "writing things down after meetings; finishing at five; starting the day with one hard task;"
        "blocking two quiet hours; walking during calls; closing the inbox after lunch; working in pairs",
        "the interruption; the planning; the pressure; the hurry; the preparation; the repetition",
        "a whole morning of focus; trust in the team; a clear end of the day; a fair share of tasks;"
        "honest feedback; time for the hard part",
    ),
    "relationships": _topic(
        "having a weekly dinner for two; sharing the household budget; keeping separate hobbies;"
        "talking before going to sleep; writing small notes; cooking together; taking a trip once a year;"
        "asking before giving advice; having one phone-free evening; splitting the chores;"
        "saying thanks every day; keeping one shared calendar; visiting family together; keeping a weekend free",
        "the awkwardness; the silence; the planning; the effort; the strict routine; the misunderstanding",
        "easy laughter; quiet trust; a fair deal at home; one honest conversation; shared good news; a calm weekend",
    ),
    "exercise": _topic(
        "running before breakfast; walking to work; stretching every evening; joining a gym;"
        "swimming on weekends; cycling along the river; counting steps; lifting light weights at home;"
        "dancing in the kitchen; training with a partner; climbing stairs; taking a dance class;"
        "playing badminton; gardening after work",
        "the effort; the boredom; the discomfort; the strict routine; the preparation; the pressure",
        "a fresh mind; more strength; an hour outdoors; a better mood; a habit that sticks; good company",
    ),
    "friendships": _topic(
        "calling old friends; keeping a small circle; hosting a monthly dinner; writing first;"
        "remembering birthdays; joining a club; telling a friend the truth; travelling with friends;"
        "sending voice messages; inviting new neighbours; sharing old photos; going for a walk together;"
        "playing board games; lending books",
        "the effort; the cost; the silence; the planning; the awkwardness; the pressure",
        "a friend who listens; a warm kitchen; a sense of belonging; trust that lasts; help on moving day;"
        "easy laughter",
    ),
    "screen time": _topic(
        "putting the phone in a drawer; watching one episode a night; deleting one app a month;"
        "gaming with friends; reading the news on paper; setting a screen limit; muting group chats;"
        "spending Sundays offline; keeping screens out of the bedroom; printing photos at home;"
        "checking messages twice a day; turning the screen grey; keeping a paper calendar; using an alarm clock",
        "the temptation; the boredom; the silence; the isolation; the effort; the interruption",
        "a longer attention span; a quiet meal; more time for hobbies; rest for the eyes; a real talk at dinner;"
        "a quiet mind",
    ),
}
GROUPS = (
    "most students", "people with a desk job", "young parents", "people who live alone", "busy families",
    "night owls", "beginners", "newcomers in town", "shy people", "people with a long commute",
    "retired people", "people on a small budget", "teachers", "parents of teenagers", "people in small towns",
    "first-year students",
)  # fmt: skip
PERSONS = (
    "a neighbour", "a colleague", "a friend from choir", "a cousin", "a flatmate", "an old teammate",
    "a fellow student", "a woman in our club", "a man from the office", "a classmate",
    "an aunt", "a librarian",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "eight")
SPANS = ("weeks", "months", "weekends")
