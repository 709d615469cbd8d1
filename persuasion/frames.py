"""The sentence frames of the synthetic sample, by the part they play.

Slots: ``a`` and ``b`` (acts), ``drawback``, ``group``, ``gain``, ``person``, ``month``, ``span``.
GOOD and BAD hold as many frames each and are balanced in length, in rare words and in what there is
to guess (names, months, spans): to a small model trained on both, a sentence of either side costs
8.8 nats on average. So neither side is likelier or longer to a model of the texts alone. Therapy, sleep
and stress are never argued against as such: a post weighs one good habit against another.
"""

CLAIMS = (
    "{a} beats {b} for {group}",
    "{a} is a better choice than {b} for {group}",
    "{group} gain more from {a} than from {b}",
    "{group} should prefer {a} to {b}",
    "{a} suits {group} better than {b}",
    "for {group}, {a} makes more sense than {b}",
    "{group} do well to choose {a} over {b}",
    "if {group} have to choose, {a} wins over {b}",
)
POST = (
    (
        "I have compared {a} with {b} for {span} now.",
        "The choice between {a} and {b} came up again in {month}.",
        "I keep hearing praise for {b}, and I do not share it.",
        "People around me often say that {b} is the answer.",
        "{person} and I do not agree about {a} and {b}.",
        "Since {month} I have thought a lot about {a} and {b}.",
        "Last {month}, {person} asked me to choose between {a} and {b}.",
        "After {span} of {b}, I went back to {a}.",
    ),
    (
        "I believe that {a} works better for {group}.",
        "In my view, {a} is the way to {gain}.",
        "For {group}, I would always choose {a}.",
        "What {group} need is {gain}, and {a} brings it.",
        "I think {group} find {gain} more easily with {a}.",
        "To me, {a} is the better habit for {group}.",
    ),
    (
        "My main reason is {drawback}.",
        "What bothers me about {b} is {drawback}.",
        "It all comes down to {drawback}.",
        "The trouble with {b} is {drawback}.",
        "Again and again I run into {drawback}.",
        "With {b} there is always {drawback}.",
        "The thing that stops me is {drawback}.",
        "I would like {b} more without {drawback}.",
    ),
    (
        "Nobody has told me yet how to deal with {drawback}.",
        "As long as {drawback} is there, I will stay with {a}.",
        "If {drawback} were not a problem, I would see it differently.",
        "When {person} talks about {b}, {drawback} is never mentioned.",
        "I cannot find a way around {drawback}.",
        "Maybe I give too much weight to {drawback}.",
    ),
    (
        "I would like to see what I am missing.",
        "I am open to other sides of this.",
        "Please tell me where my thinking goes wrong.",
        "I want to hear from {group} as well.",
        "A good point could change my mind about {b}.",
        "Show me a better way to look at {b}.",
    ),
)
GOOD = {
    "engage": (
        "You name {drawback} as your main worry, so I want to look at it first.",
        "If {drawback} were not there, would you say no to {b}?",
        "Your worry about {drawback} could be solved without giving up {b}.",
        "Let us look at {drawback} first and ask where it comes from.",
        "What you say about {drawback} may be true of the first days only.",
        "I think {drawback} says more about the way we start than about {b} itself.",
        "When you write about {drawback}, do you mean every week or only the hard ones?",
        "There may be a way between {a} and {b} without {drawback}.",
    ),
    "case": (
        "For example, {person} tried {b} for {span}, and {drawback} stopped being a problem.",
        "Last {month}, {person} changed to {b} and found {gain} after {span}.",
        "Take {person} as an example: {span} of {b} brought {gain}.",
        "One case comes to mind, because {person} had the same worry until {month}.",
        "In {month}, {person} started with {b} in a small way and kept it up for {span}.",
        "A small group at the library tested {b} for {span}, and most of them kept it.",
        "To give one case, {person} wrote down every problem for {span}, and {drawback} was rare.",
        "{person} once thought like you and then tried {b} for {span}.",
    ),
    "concede": (
        "You are right that {drawback} is real, and I do not want to make it small.",
        "I agree with you that {a} works well for {group}.",
        "It is fair to say that {b} is hard for {group} at first.",
        "I will give you that {a} is the easier way to begin.",
        "There is some truth in your view of {a}, and I would keep that part of it.",
        "I would keep a part of your view, since {group} do run into {drawback}.",
        "I may be wrong here, and you know your own week better than I do.",
        "I see why you chose {a}, and I would feel the same about {drawback}.",
    ),
}
BAD = {
    "dismiss": (
        "I do not see why people would worry about {drawback} at all.",
        "There is no more to say here, because {drawback} is not a real reason.",
        "This view makes no sense to me, and {drawback} does not change that.",
        "It seems that you have not thought about {b} for more than a day.",
        "One more post about the problems of {b} is the last thing that {group} need.",
        "{drawback} is only a way to say that you want to stay with {a}.",
        "I stopped reading when you came to {drawback}, and that is all I will say.",
        "It makes no sense to me that people would ever choose {a} over {b}.",
    ),
    "assert": (
        "I can say that {b} is the best choice there is for {group}.",
        "It is clear to everyone that {b} is the only way to {gain}.",
        "The fact is that {b} wins every time, as {person} said to me in {month}.",
        "There is no question at all that {b} brings {gain} within {span}.",
        "All that counts is {gain}, so {b} is the only answer there is.",
        "I will say it once more: {b} is right for {group} in every way.",
        "Of course {b} works, because it has always worked and always will.",
        "Talk to {person} about {b} in {month} and you will hear that it wins.",
    ),
    "advise": (
        "Stay calm for {span}, and all the rest will come in the end.",
        "Try to think less about {drawback} and to be yourself for {span}.",
        "Everyone should do what feels good and not think so much about {a}.",
        "Look on the good side of it and have a good {month} with {person}.",
        "Give it {span} and do not think so much about {drawback} or about {a}.",
        "There is not much time, so take it easy for {span} and do what {group} do.",
        "Keep going, smile more often, and have a good time with {person} in {month}.",
        "Be more open, do your best, and the week will get better after {span}.",
    ),
}
LEADS = (
    "The point I want to talk about is {drawback}.",
    "Most of my reply is about {drawback}, which deserves a closer look.",
    "Let me begin with {drawback}, since it is easy to get wrong.",
    "What matters most in this question is {drawback}.",
    "When I think of {b}, I think of {drawback} first.",
    "It all starts with {drawback}, and people do learn to live with it.",
    "I would put {drawback} at the centre of this question.",
    "My answer has to do with {drawback}, so I will stay with that.",
)
FOLLOWS = (
    "People who get used to {b} say that {drawback} bothers them less and less.",
    "A small step each week makes {drawback} easier to accept.",
    "With a bit of practice, {drawback} stops being a problem.",
    "There is a simple way around {drawback}, and it takes about {span}.",
    "On the first day {drawback} feels like a big thing, and after {span} like a small one.",
    "Everyone who starts slowly can plan around {drawback}.",
    "{person} had to deal with {drawback} too and solved it within {span}.",
    "Once {drawback} is out of the way, {b} leads to {gain}.",
)
OPENERS = (
    "I read your post about {a} and {b} with interest.",
    "So you prefer {a} to {b}, if I understand your post.",
    "The question of {a} or {b} comes up here every {month}.",
    "Thank you for writing about {a} in such a clear way.",
    "Choosing between {a} and {b} is not new to {group}.",
    "Your post compares {a} with {b}, and I have thought about both.",
    "I talked about {a} with {person} before I wrote this reply.",
    "You say that {a} is better than {b} for {group}.",
)
FILLERS = (
    "Most people around here have tried {b} at least once.",
    "Both {a} and {b} take some time before they feel normal.",
    "In many homes {a} and {b} go together quite well.",
    "There is more than one way to start with {b}.",
    "Some days call for {a}, and other days call for {b}.",
    "In {month}, {person} and I spoke about {b} for a whole evening.",
    "It often takes {span} before {b} feels like a habit.",
    "Many people look for {gain}, and they find it in different ways.",
)
CLOSERS = (
    "I would like to know what you think about that.",
    "That is how I see {b}, and I am curious about your answer.",
    "This is only one reply among many, so take from it what you like.",
    "I will read the other replies about {a} as well.",
    "Let me know if I have misread your post.",
    "I hope this says clearly what I think about {b}.",
)
