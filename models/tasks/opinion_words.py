"""Common English words of praise and blame: prior knowledge for a classifier that has seen few examples.

A general list, written without looking at any labelled set. Features made from it are weighted by
training like all others, and it simply does not fire in other languages.
"""

from __future__ import annotations

_PRAISE = """
accurate admirable adorable adore affordable amazing appealing appreciate appreciated attractive awesome beautiful
beautifully best better bliss brilliant brilliantly calm charming cheerful clean clear clever comfortable compelling
convenient cool crisp crystal cute dazzling delicious delight delighted delightful dependable durable easily easy
effective efficient effortless elegant enchanting engaging enjoy enjoyable enjoyed enjoying excellent exceptional
excited exciting exquisite fabulous fair fan fantastic fascinating fast fastest faultless favorite favourite fine
fix fixed flawless flawlessly fresh friendly fun funny gem generous gentle genius glad good gorgeous grateful great
greatest handy happier happily happy heavenly helpful helped honest hilarious ideal immaculate impeccable impressed
impressive improved improvement incredible incredibly insightful inspiring instant intuitive joy kind kindness
laughed likable like liked love loved lovely loves loving loyal lucky luxurious magical magnificent marvelous
marvellous masterpiece memorable moving neat nice nicely outstanding patient perfect perfectly phenomenal pleasant
pleasantly pleased pleasure polite positive powerful precious prompt promptly proud quick quickly quiet recommend
recommended refreshing reliable relaxing remarkable rescued responsive rewarding rich right robust safe satisfied
satisfying seamless sharp silky sleek smile smiled smiling smooth smoothly solid soothing sparkling spectacular
splendid spotless stellar stunning sturdy stylish sublime success successful super superb superior supportive
surpassed surprised sweet swift talented tasty tender terrific thank thankful thanks thorough thoughtful thrilled
thrilling tidy top touching treat triumph trustworthy unbeatable unforgettable useful valuable vibrant warm
welcoming well win winner wins won wonderful wonderfully worth worthwhile wow yum yummy
"""
_BLAME = """
abysmal angry annoyed annoying appalling arrogant ashamed atrocious avoid awful awfully awkward bad badly bitter
bland bloated boring bored broke broken breaks bug buggy bugs bumpy burnt careless chaotic cheap cheated cheesy
clumsy clunky cold complain complained complaint complaints confused confusing crap crappy crash crashed crashes
crashing creepy cringe crowded damaged dated dead defective delay delayed delays dented depressing dirty disappoint
disappointed disappointing disappointment disaster disgusting dishonest dismal disrespectful dreadful dreary dull
embarrassing empty error errors expensive fail failed failing fails failure fake faulty filthy flat flawed flimsy
forgettable fraud freezes freezing frustrated frustrating frustration garbage greasy gross hate hated hates
heartless hideous hollow horrible horribly horrid horrific ignored impossible incompetent inconsistent ineffective
inferior insult insulting irritating junk lacking lag laggy lags laughable lazy leak leaked leaking leaks lied lies
lost lousy mediocre mess messy miserable misleading missing mistake mistakes moldy monotonous nasty nauseating
negative nightmare noisy nonsense obnoxious obsolete offensive outdated overcooked overpriced overrated painful
painfully pathetic pointless poor poorly predictable pretentious problem problems refund refused refuses regret
rejected repetitive ridiculous rip ripped rotten rough rubbish rude ruin ruined ruins rushed rusty sad sadly scam
scratched screwed shabby shame shameful shoddy sick slow slower slowly sloppy smelled smelly soggy soulless stale
stiff stinks stolen stressful stuck stupid subpar suffer suffered sluggish tacky tasteless tedious terrible terribly
terrified tired tiresome torn torture toxic tragic trash ugly unacceptable unbearable uncomfortable underwhelming
undercooked unfair unfortunately unfriendly unhappy unhelpful uninspired unpleasant unprofessional unreliable
unresponsive unusable upset upsetting useless vile wait waited warped waste wasted weak weird worse worst worthless
wrong
"""
_NEGATIONS = """
not no never none nobody nothing nowhere neither nor cannot hardly barely scarcely without lacks lack n't dont
doesnt didnt isnt wasnt arent werent wont wouldnt couldnt shouldnt cant aint hasnt havent hadnt
"""
CONTRASTS = frozenset(("but", "however", "nevertheless", "nonetheless", "yet", "still", "though", "although"))
PRAISE = frozenset(_PRAISE.split())
BLAME = frozenset(_BLAME.split())
NEGATIONS = frozenset(_NEGATIONS.split())
