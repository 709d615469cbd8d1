"""What the crisis screen looks for in one sentence: a first person, words of danger, and none that make an idiom."""

import re
from dataclasses import dataclass

from persuasion.patterns import any_of


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence in which ``said`` is found with a first person, and ``idiom`` is not."""

    said: re.Pattern[str]
    idiom: re.Pattern[str]

    def finds(self, sentence: str) -> bool:
        """Whether the sentence is of this kind."""
        return bool(_I.search(sentence) and self.said.search(sentence) and not self.idiom.search(sentence))


def _rule(said: str, *idioms: str) -> Rule:
    return Rule(any_of(said), any_of(*idioms or (r"(?!)",)))


_I = re.compile(r"\b(?:i|im|me|my|myself|us|our)\b", re.IGNORECASE)
_KIN = (
    r"(?:husband|wife|partner|ex|boyfriend|girlfriend|fianc[eé]e?|mom|mum|(?:step|foster )?(?:dad|father|mother)|"
    r"brother|sister|cousin|uncle|aunt|grandpa|grandfather|grandmother|coach|teacher|priest|boss|manager|colleague|roommate|"
    r"flatmate|neighbou?r|parents|family|carer)"
)
_SOMEONE = rf"\b(?:he|she|they|{_KIN}|(?:a|this|some) (?:man|guy|woman|stranger)|some(?:one|body))\b"
_HARMS = (
    r"(?:hit(?:s|ting)?|beat(?:s|en|ing)?|punch\w*|kick\w*|slap\w*|chok\w+|strangl\w+|rap(?:es?|ed|ing)|molest\w*|assault\w*|"
    r"abus\w+|grop\w+|touch\w*|forc\w+|grab\w*|shov\w+|push\w*|burn\w*|hurt\w*|threaten\w*|stalk\w*|lock\w*|threw|throws?)"
)
_BODY = r"my (?:\w+ )?(?:arms?|ribs?|face|nose|throat|neck|hair|leg|jaw|head|body|breasts?)"
_KILL = (
    r"(?:(?:kill|shoot|stab|chok|strangl|drown|poison|murder|hurt|attack|bomb|smother|shak|push)(?:e|ing)?|shoot up|"
    r"burn(?:ing)? down|set(?:ting)? fire to|run(?:ning)? over)"
)
_PERSON = (
    rf"(?:him|her|them|you all|people|some(?:one|body)|every(?:one|body)|whoever|(?:my|our|the|those|these) (?:\w+ )?"
    rf"(?:{_KIN}|baby|newborn|son|daughter|kids?|child|children|landlord|classmates?|school|office|building|church|mosque|"
    r"synagogue|house|guy|man|woman|people|bully|bullies|twin|wife|teacher)s?)\b"
)
_IDIOMS = (
    r"\b(?:laugh\w*|shame|embarrass\w*|bored\w*|curios\w+|hill|films?|movies?|novels?|songs?|books?|games?|chess|tennis|"
    r"photos?|battery|phone|plants?|argument|kindness|gym|snooze|coffee|exam|interview|slack|media|dignity)\b"
)
_DEBATE = (
    r"\b(?:assisted|prevention|legal\w*|laws?|statistics|politic\w*|career|characters?|campaigns?|stud(?:y|ies)|taught|"
    r"hotlines?|methods?|euthanasia|policy|polic(?:e|ies) should|schools should)\b"
)
_MEAN = (
    r"(?:want\w*|wish\w*|(?:i ?d )?rather|need|ready|going|gonna|hop(?:e|ing)|plan\w*|decid\w+|like|prefer|"
    r"think\w*|thought\w*|tried|try\w*|tempted|about|dream\w*|fantasi\w+|imagin\w+|deserve|easiest|easier|solve|convinc\w+)"
)
_NOT = (
    r"(?:n't|nt|not|no longer|no reason to|no point (?:in|to)|cannot|tired of|done with|sick of|nothing (?:left )?to|"
    r"never)"
)
_LIVING = r"(?:live|living|life|alive|go(?:ing)? on|wake up|be here|exist\w*|continue)\b"

RULES: dict[str, tuple[Rule, ...]] = {
    "self_harm": (
        _rule(
            r"\bsuicid\w*|\bself[- ]?harm\w*|\btak(?:e|ing) my (?:own )?life\b|\bend(?:ing)? my (?:own )?life\b",
            _DEBATE,
        ),
        _rule(
            r"\b(?:kill|hang|shoot|drown|starv|poison)\w* (?:myself|me)\b",
            _IDIOMS,
            r"\bi(?:f|n case) .{0,40} kill me\b",
        ),
        _rule(
            rf"\b{_MEAN}\b[^.]{{0,40}}\b(?:die|dying|be dead|death|sleep forever|disappear|be gone|"
            r"end(?:ing)? (?:it|things)|(?:it|everything|this) (?:to be|be|is) over|(?:never|not) (?:been )?born)\b",
            _IDIOMS,
            _DEBATE,
            r"\b(?:than eat|die to|for my (?:children|country|kids)|rich|old age|penalty|over text|the meeting)\b",
        ),
        _rule(
            r"\bkms\b|\bmy (?:own )?death\b|\b(?:leave|depart) this (?:world|life|earth)\b|\bdeserve to live\b", _DEBATE
        ),
        _rule(
            r"\b(?:balcony|ledge|rooftop|bridge|tracks)\b[^.]{0,60}\b(?:jump|writing this|goodbye|last|over soon)\b",
            _IDIOMS,
        ),
        _rule(
            r"\b(?:my last (?:day|night|weekend|week|post)|is my last|tonight i(?:'m| am) going|waking up alive)\b",
            r"\b(?:at|of) (?:work|school|holiday|summer|my job)\b",
        ),
        _rule(
            r"\b(?:urge|tempt\w*|think\w*|impulse)\b[^.]{0,40}\b(?:drive into|swerve|jump|overdose|pull the trigger)\b",
            _IDIOMS,
        ),
        _rule(r"\b(?:saved up|stockpil\w*|hoard\w*|collected)\b[^.]{0,20}\b(?:tablets|pills|medication|insulin)\b"),
        _rule(r"\bi(?:'m| am)? (?:gonna|going to|will|want to|must|have to) end (?:it|things|everything)\b", _IDIOMS),
        _rule(
            rf"\bi[^.]{{0,25}}{_NOT} (?:\w+ ){{0,4}}{_LIVING}",
            r"\blive (?:in|near|at|off|on|by|for|up|together|alone|t?here|music|with (?!it|this|myself|the pain))\b",
            r"\blife (?:insurance|sentence|hack|expectancy)|\b(?:office|city|public|real|social|work)[- ]life\b",
        ),
        _rule(
            r"\b(?:cut\w*|burn\w*|scratch\w*|slash\w*|hurt\w*|harm\w*|starv\w+|punish\w*|hit\w*)\b (?:\w+ ){0,2}"
            r"(?:myself|my (?:own )?(?:arms?|wrists?|legs?|thighs?|skin|veins))\b",
            _IDIOMS,
            r"\b(?:stove|cooking|shaving|football|out at work|myself out|slice|kitchen|training|at work)\b",
        ),
        _rule(
            r"\b(?:took|taken|tak(?:e|ing)|swallow\w*)\b[^.]{0,25}\b(?:all|whole|bottle|box|pack|handful|every|\w+ty|\d\d+)\b"
            r"[^.]{0,20}\b(?:pills|tablets|painkillers|capsules)\b|\bpills (?:are|is) (?:the )?(?:easiest|best) way\b",
            r"\bvitamins?\b",
        ),
        _rule(
            r"\b(?:jump\w*|step\w*|throw\w*|crash\w*)\b[^.]{0,25}\b(?:bridge|roof|cliff|train|tracks|traffic|wall)\b",
            _IDIOMS,
        ),
        _rule(
            r"\b(?:rope|noose)\b[^.]{0,40}\b(?:use|ready|hang|bought|neck)|\bbought (?:the|a) (?:rope|noose)\b",
            r"\bclimb",
        ),
        _rule(
            r"\bwithout me\b|\b(?:when|if|once|after) i(?:'m| am| was| were)? (?:\w+ )?(?:died?|gone|dead|not here)\b",
            r"\b(?:party|meeting|holiday|for lunch|on holiday|insurance|inherit\w*)\b",
        ),
        _rule(r"\bburden\b[^.]{0,60}\b(?:everyone|everybody|family|dying|die|death|gone)\b"),
        _rule(
            r"\b(?:goodbye|farewell|last|suicide)? ?(?:letters?|notes?)\b[^.]{0,40}\b(?:ready|to everyone|goodbye)\b|"
            r"\bwritten letters to\b|\b(?:say|said|saying) goodbye to (?:everyone|everybody|my)\b",
            r"\b(?:release|medical|cover|class|lecture|meeting) notes?\b|\bcover letters?\b",
        ),
        _rule(r"\blife (?:is|has) (?:not )?(?:worth(?:less)?|no (?:meaning|point|value)|pointless|over|meaningless)\b"),
        _rule(
            r"\blife isn'?t worth\b|\boverdos(?:e|ed|ing)\b|(?:\bno|(?:n't|\bnot) see any?) (?:other )?way out\b",
            _DEBATE,
        ),
    ),
    "abuse": (
        _rule(
            rf"{_SOMEONE}[^.]{{0,30}}\b{_HARMS}\b(?: (?!on\b|up\b)\w+){{0,4}}? (?:me|us|{_BODY})\b",
            _IDIOMS,
            r"\b(?:me|us) (?:that|as|every time|hard, )|\b(?:at|in) (?:chess|cards|golf|\w+ball)\b|\btaxes\b|"
            r"\bup with\b|\bunder the table\b|\bwith an? (?:good|new|strong)\b|\bme to (?:think|see|learn|try|read)\b",
        ),
        _rule(
            r"\bi(?:'?m| am| was| get| got|'ve been| have been| keep getting)(?: \w+){0,2} (?:abused|beaten|assaulted|"
            r"raped|molested|hit|groped|stalked|choked|slapped|touched)\b",
            r"\bbeaten (?:at|to|in)\b|\bhit by (?:how|the (?:idea|thought|bill))\b",
        ),
        _rule(
            rf"\b(?:scared|afraid|terrified|frightened) of my {_KIN}\b|"
            rf"\b(?:an|my) abusive (?:relationship|home|{_KIN})\b"
        ),
        _rule(
            rf"\b(?:him|her|{_KIN}|he|she|they)\b[^.]{{0,30}}\b(?:broke|broken|breaking|twist\w*)\b[^.]{{0,15}}\b{_BODY}\b"
        ),
        _rule(
            rf"{_SOMEONE}[^.]{{0,20}}\b(?:says?|said|swore|threatens?|threatened|will|'ll|wants?)\b[^.]{{0,25}}\b"
            r"(?:kill|hurt|shoot|beat) (?:me|us)\b",
            _IDIOMS,
        ),
        _rule(
            rf"{_SOMEONE}[^.]{{0,30}}\b(?:drugged me|goes for my throat|made me sit on (?:his|her) lap|hits? our)\b|"
            r"\bsit on (?:his|her) lap\b|\bwoke up (?:undressed|naked)\b|\bi said no and\b|"
            r"\bbruises\b[^.]{0,30}\bbut (?:he|she)",
            r"\brugby\b|\bsanta\b",
        ),
        _rule(
            rf"{_SOMEONE} would (?:beat|hit|kill|hurt) me\b|\bnot allowed to leave the (?:house|flat|room)\b", _IDIOMS
        ),
        _rule(rf"{_SOMEONE}[^.]{{0,20}}\bmak(?:es?|ing) me (?:undress|strip|touch|watch|have sex|sleep with)\b"),
    ),
    "danger": (
        _rule(
            rf"\b(?:will|'ll|gonna|going|want|plan\w*|about|need|ready|think\w*|thoughts|imagin\w+|scared|urge)\b[^.]{{0,20}}"
            rf"\b{_KILL} {_PERSON}",
            _IDIOMS,
            r"\bpush (?:people|them|him|her|my \w+) to (?!\w* ?(?:tracks|edge))",
        ),
        _rule(
            r"\b(?:poison|kill|murder)ing (?:\w+'?s? ){1,3}(?:and then )?(?:him|her|them)[^.]{0,60}\b(?:fair|right)\b"
        ),
        _rule(
            r"\b(?:gun|knife|rifle|bomb|explosives|pistol)\b[^.]{0,80}\b(?:they|them|him|her|people|some(?:one|body)|everyone|"
            r"school|bull(?:y|ied)|make sure|pay|stab|shoot|will see)\b",
            r"\b(?:owners?|insur\w+|licen\w+|sports?|hunt\w*|collect\w*|kitchen|shows?|self-defen[cs]e)\b",
            _DEBATE,
        ),
        _rule(
            r"\b(?:gun|rifle|knife|bomb)\b[^.]{0,20}\b(?:in|under) my (?:bag|backpack|coat|car|locker|jacket|desk)\b"
        ),
        _rule(
            r"\b(?:has|have|needs?|deserves?) to die\b|\bblow up (?:the|my|our|a) \w+",
            _IDIOMS,
            _DEBATE,
            r"\bballoons?\b",
        ),
        _rule(
            r"\b(?:took|taken) too (?:many|much)[^.]{0,20}\b(?:pills|tablets|medication|meds)\b|\bblood everywhere\b|"
            r"\bbroke in\b[^.]{0,40}\bhid(?:e|ing)\b|\bhid(?:e|ing) (?:in|under)[^.]{0,30}\b(?:broke|intruder)\b|"
            r"\bate nothing\b[^.]{0,30}\b(?:days|weeks)\b",
        ),
        _rule(
            r"\b(?:voices?|whispers?|god|angels?|demons?)\b[^.]{0,20}\b(?:tell(?:s|ing)?|orders?|commands?) me to\b",
            r"\b(?:radio|vote)\b",
        ),
        _rule(rf"\b{_KILL} {_PERSON}[^.]{{0,30}}\b(?:tracks|tonight|tomorrow|on \w+day)\b"),
        _rule(
            r"\b(?:swallow\w*|dr[aiu]nk|took|taken|ate|mixed|inhal\w+)\b[^.]{0,30}\b(?:bleach|poison|antifreeze|ammonia|"
            r"paracetamol|tylenol|detergent|petrol|pesticide)\b",
        ),
        _rule(r"\bdeserves? to die\b|\bdo(?:es)?n'?t deserve to live\b", _DEBATE, r"\b(?:murderers|penalty)\b"),
        _rule(
            r"\bmake (?:them|him|her|everyone)(?: all)? (?:pay|suffer|bleed)\b|"
            r"\b(?:fire|burn)\b[^.]{0,15}\b(?:mosque|church|synagogue)\b",
            _DEBATE,
            r"\b(?:taxes|bill|rent)\b",
        ),
        _rule(
            r"\b(?:outside|inside|at|in|down|into) (?:my|our) (?:\w+ )?(?:door|house|flat|home|apartment|window)\b"
            r"[^.]{0,40}\b(?:now|gun|knife|police)\b|\b(?:gun|knife)\b[^.]{0,20}\boutside my\b",
            r"\b(?:dogs?|cats?|barks?|parcel|salesm\w+)\b",
        ),
        _rule(
            r"\bi(?: think i)?(?:'m| am) having an? (?:heart attack|stroke|seizure)\b|"
            r"\bmy (?:chest|face|arm|left arm)\b[^.]{0,40}\b(?:numb|hurts|tight|droop\w*)\b|\bi can'?t breathe\b|"
            r"\bface is numb\b",
            _IDIOMS,
        ),
        _rule(
            r"(?:\b(?:not|nothing)|n't) (?:\w+ )?(?:eaten|eat|ate)\b[^.]{0,25}\b(?:days|weeks)\b",
            r"\b(?:meat|sugar|bread|gluten|dairy|chocolate|fast food)\b",
        ),
    ),
}
