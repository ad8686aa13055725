"""What English grammar closes: auxiliaries, negators, prepositions, pronouns, numbers; and common verbs, to find that of a sentence."""

from spikemem.hippocampus.regions.polarity import DENIERS


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


AUXILIARIES = _of(
    "'m 're 's am are aren be been being ca can could couldn d did didn do does doesn don had hadn has hasn have haven is isn ll "
    "may might must mustn shall should shouldn ve was wasn were weren will wo won would wouldn"
)
"""Auxiliaries, also as what is left of them before n't."""
NEGATORS = _of(f"{DENIERS} hardly n't")
"""Words that deny."""
_OTHERS = _of(
    "a about again also an and any anybody anyone anything as at but by down each every for from he her here him his i in into it "
    "its just longer m many me more most much my now of off oh on one's onto or our out over re s she so some someone something "
    "still t than that the their them then there these they this those to too under up us very we well which who with yes you your"
)
FUNCTION_WORDS = _OTHERS | AUXILIARIES | NEGATORS
"""Words without content of their own."""
PREPOSITIONS = _of(
    "about at behind beside by during for from in inside into near on onto outside over since through to towards under until with"
)
"""Prepositions."""
OPPOSED = frozenset(
    pair
    for a, b in (
        ("up", "down"), ("in", "out"), ("into", "out"), ("inside", "outside"), ("on", "off"), ("onto", "off"), ("over", "under"),
        ("on", "under"), ("above", "below"), ("before", "after"), ("with", "without"), ("to", "from"), ("toward", "from"),
        ("towards", "from"), ("for", "against"), ("near", "far"), ("forward", "backward"), ("left", "right"), ("first", "last"),
    )
    for pair in ((a, b), (b, a))
)  # fmt: skip
"""Particles, and a few more words of grammar, of which one is the contrary of the other."""
REVERSE = ("un", "dis", "de", "in", "im", "ir", "il", "non")
"""Beginnings that turn a word into its contrary."""
WITH = _of("about and by call called for meet met of saw see with")
"""Words before those who take part."""
CALENDAR = _of(
    "april august december february friday january july june march may monday november october saturday september sunday thursday "
    "tuesday wednesday"
)
"""Days and months."""
NUMBERS = _of(
    "eight eighteen eighth eighty eleven eleventh fifteen fifth fifty first five forty four fourteen fourth half hundred midnight "
    "nine nineteen ninety ninth noon once one quarter second seven seventeen seventh seventy six sixteen sixth sixty ten tenth "
    "third thirteen thirty thousand three twelfth twelve twenty twice two"
)
"""Numbers in words."""
BEGIN = _of("a an her his its my our that the their this your")
"""Words that begin a subject."""
PRONOUNS = _of("he i it she they we you")
"""Personal pronouns."""
INDEFINITE = _of("a an children five four many men one people several some there three two women")
"""Words that begin a subject of which there are many."""
ALSO = _of("again also another besides else other too")
"""Words that say that something holds besides."""
PASTS = _of(
    "ate became began bit blew bought broke brought built came caught chose cost cut did drank drew drove fed fell felt flew "
    "forgot fought found froze gave got grew heard held hid hit hung kept knew laid lay led left lent let lost made meant met paid "
    "put ran rang read rode rose said sang sank sat saw sent set shone shook shot slept sold spent split spoke stole stood struck "
    "stuck swam swept swung taught thought threw told took understood went woke won wore wrote"
)
"""Irregular pasts of verbs."""
VERBS = _of(
    "accept add agree allow answer appear apply arrive ask attend bake balance base become begin belong bite blow boil book borrow "
    "bow break bring brush build burn buy call cancel carry catch cause change charge chase chat check choose chop clean climb "
    "close collect come complain contain cook cost count cover crawl cross cry cut cycle dance decide deliver design dice die dive "
    "do drag draw dress drink drive drop dry earn eat empty end enjoy enter explain fail fall feature feed feel fight fill find "
    "finish fish fix float flow fly follow forget freeze fry gather gaze get give go grate greet grow hang happen hate have hear "
    "heat help hide hike hit hold host house hug hunt hurt include iron jog join jump keep kick kiss kneel knit know land last "
    "laugh lay lead lean leap learn leave lend let lick lie lies lift like listen live load lock look lose love make marry mean "
    "measure meet melt miss mix move name nap need offer open order owe own pack paddle paint park pass paste pay peel perform pet "
    "phone photograph plan plant play point pose pour practice practise prefer prepare promise pull push put race rain reach read "
    "recommend rent repair rest return ride ring rise roll row run sail say see seem sell send serve set shake share shave shine "
    "shoot shout show sign sing sink sit skate ski sleep slice smell smile smoke sniff snow sound speak spend split spread stand "
    "stare start stay steal stick stir stop store stretch strike stroke strum study suit supply support surf sweep swim swing "
    "switch take talk taste teach tear tell thank think throw tie touch train travel treat trim try turn type understand unlock "
    "use visit vote wag wait wake walk want wash watch water wave wear weigh whisper win wish work worry wrestle write yawn"
)
"""Common verbs, by which the verb of a sentence is found."""
STATES = _of("belonged contained cost had hated knew lay liked lived loved owned seemed stood wanted worked")
"""Pasts of verbs that tell of a state."""
