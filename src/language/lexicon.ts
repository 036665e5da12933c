/** The words that the rules know. All are lower case and, where a word has slips, in their repaired form. */

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ""));

/** Slips, abbreviations and joined forms → the words that they stand for. */
export const repairs: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    left: "lft letf lfet leftt elft leeft lef leftest",
    right: "rt rigth rihgt rght righ rightt ritght rigt riht righht rightest",
    "left most": "leftmost lefmost leftmos",
    "right most": "rightmost righmost rightmos",
    "left hand": "lefthand",
    "right hand": "righthand",
    "left side": "leftside lefside",
    "right side": "rightside righside",
    "left hand side": "lhs lefthandside",
    "right hand side": "rhs righthandside",
    "top left": "topleft",
    "top right": "topright",
    "bottom left": "bottomleft",
    "bottom right": "bottomright",
    "upper left": "upperleft",
    "upper right": "upperright",
    "lower left": "lowerleft",
    "lower right": "lowerright",
    top: "topp",
    "top most": "topmost highest",
    upper: "uper uppper",
    "upper most": "uppermost",
    bottom: "botom bottem bottm botttom bottum bttom bototm bottome",
    "bottom most": "bottommost bottomost lowest",
    "lower most": "lowermost",
    middle: "midle middel middl midddle middlle miidle mddle",
    "middle most": "middlemost",
    center: "centre centered centred cetner cener ceter centr centert central",
    "center most": "centermost centremost",
    corner: "conner coner corne cornor",
    second: "secon secodn seond sencond",
    oclock: "o'clock",
    background: "backround backgroud",
    foreground: "forground foregroud",
    under: "undr",
    above: "abov",
    below: "bellow",
    picture: "picutre pictue pitcure pictre picure",
  }).flatMap(([words, slips]) => slips.split(" ").map((slip) => [slip, words.split(" ")] as const)),
);

/** Nouns for the picture itself: the left of one is a place, the left of anything else is a relation. */
export const pictureNouns = set(
  "picture pictures pic pics photo photos photograph image img screen frame scene shot view page pix pict camera snapshot",
);
export const determiners = set("the a an this that these those his her its my our their your whole entire");
/** After "of": the expression picks one out of a set. */
export const partitives = set(
  "both them us two three four five six seven eight nine ten 2 3 4 5 6 7 8 9 10 all these those",
);
/** Things that spread sideways: their left is the left of several like things. */
export const rows = set("group row line lineup bunch crowd pack pair trio");
/** Words between a direction and "of" that keep the phrase one: "left hand side of". */
export const sideNouns = set("side sides hand end edge corner part half portion area section most one ones");
/** Words within a chain of directions: "right hand bottom corner". */
export const chainLinks = set("side hand most far corner very");

export const possessives = set("his her its their hers theirs");
/** Contractions of "is" that look like a possessive. */
export const contractions = set("who's that's what's it's he's she's there's where's here's one's");
/** Plural forms that stand for a possessive where the apostrophe is lost: "to the mans left". */
export const lostPossessives = set(
  "mans womans guys girls boys ladys ladies persons kids players batters catchers pitchers childs babys dogs cats horses " +
    "elephants cows bears zebras giraffes umpires skiers riders dudes",
);

/** Nouns of the body and of what is worn in pairs. */
export const bodyNouns = set(
  "hand hands arm arms leg legs foot feet eye eyes ear ears shoulder knee elbow wrist ankle thigh hip cheek wing wings paw " +
    "paws hoof horn horns tusk tusks finger thumb toe breast sleeve glove shoe boot sock ski skate handed armed footed " +
    "handlebar headlight tire wheel pocket forearm calf nostril butt buttock",
);
/** Nouns after "left hand" that show it to be a direction: "left hand corner". */
export const handSideNouns = set("side corner column row edge end part most top bottom upper lower portion");
/** What a limb does or where it rests: "left hand raised", "right arm up". */
export const postures = set(
  "up raised out outstretched extended lifted bent down forward forwards crossed stretched high over behind on in above " +
    "near toward towards against across",
);
export const upperBody = set("body torso lip lips arm arms leg legs teeth jaw thigh thighs eyelid");

/** Verbs of facing: a direction after them is theirs, with or without "to". */
export const facing = set(
  "facing face faces faced looking looks look lookin looked pointing points pointed point turning turns turned turn leaning leans " +
    "leaned lean heading headed heads going goes tilted tilting tilts angled aimed aiming gazing staring glancing veering " +
    "rotated bats throws steering curving curved peering",
);
/** Verbs of moving: a direction is theirs with "to"; without, shorthand for "on the left" is as likely. */
export const moving = set(
  "walking walks running runs moving moves swinging driving flying throwing batting kicking reaching riding sliding skiing " +
    "sailing hitting pulling stretched swimming bowing jumping pitching",
);
/** What can be turned somewhere: "head to the left". */
export const facingNouns = set("head heads face nose tail trunk handle beak snout back");
/** After "left facing": it is the left one who faces something. */
export const facedThings = set(
  "camera us me you viewer away forward forwards the toward towards front left right back backwards backward down up out " +
    "each other him her sideways other photographer straight at to",
);
/** Words between a verb and its direction. */
export const directionLeads = set("the to towards toward off over slightly more our his her its my your their far");

/** After "right": it is an adverb ("right next to"), unless a position's lead stands before it. */
export const rightAdverbs = set(
  "next behind above below beneath under underneath beside besides by near before after there here where now against over " +
    "inside outside between through at about along alongside out off",
);
/** Before "right": it is a position ("on the right behind him"). */
export const positionLeads = set(
  "on the to at far top bottom upper lower back front extreme in center middle most very my our your way from",
);

export const colours = set(
  "red green blue yellow orange purple pink brown black white gray grey beige tan maroon teal turquoise violet gold golden silver " +
    "navy cream khaki burgundy lavender magenta cyan aqua blond blonde colored coloured multicolored colorful lime peach rust " +
    "reddish bluish greenish yellowish brownish whitish olive crimson scarlet indigo charcoal",
);
/** Before "top" or "bottom": it is something worn. */
export const garmentAdjectives = set(
  "dark light bright striped stripes stripe plaid floral flowered flower print printed patterned checkered polka dotted dot " +
    "tank crop halter tube bikini workout sleeveless strapless sleeve sleeved lace knit sweater tight button spotted camo sparkly " +
    "pajama swim swimsuit sports low cut strap straps spaghetti denim leather tee jogging gym track training long short",
);
/** What has a top in its name: "table top". */
export const topCompounds = set(
  "table counter desk lap roof tree hill stove mountain bench work flat hard soft carrot",
);
/** After "top": a thing of another name. */
export const topNames = set("hat hats coat knot notch hatted button");
export const wearing = set("wearing wears wear in with w her his their no without");

export const people = set(
  "man men woman women girl girls boy boys guy guys lady ladies kid kids child children person people player dude chick female male " +
    "gal baby toddler adult teen teenager mom mother dad father blonde batter catcher tennis skier surfer rider girlie wearer lad " +
    "gentleman couple worker player's umpire",
);
/** After a direction or preposition: words that begin no noun phrase. */
export const nonNouns = set(
  "on in at and or but with w wearing who that is are was were to by near next behind beside from of facing holding looking sitting " +
    "standing not has having only while between above below under against eating playing talking walking running riding as which " +
    "right left top bottom center middle upper lower corner",
);

export const verticalRowNouns = set("row rows shelf shelves layer tier rack drawer level bunk deck line step");
export const horizontalRowNouns = set("column columns lane aisle panel");
export const middleSenses = set("aged age ages school finger fingers eastern east class schooler field fielder");
export const centerCompounds = set(
  "shopping civic entertainment community media sports visitor city medical convention",
);
export const cornerSenses = set("piece pieces slice slices store shop kick back flag stone bakery cafe");
export const sideSenses = set("field fielder fielders handed hander handers winger angle angles arrow arrows turn");
export const leftSenses = set("over overs out alone unattended");

export const frontWords = set("front foreground forefront closest nearest closer nearer frontmost");
export const backWords = set("back background behind rear farthest furthest far farther further distance distant");

export const ordinalWords: ReadonlyMap<string, number> = new Map([
  ..."first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
    .split(" ")
    .map((word, i) => [word, i + 1] as const),
  ["last", -1],
]);
export const cardinalWords: ReadonlyMap<string, number> = new Map(
  "one two three four five six seven eight nine ten eleven twelve".split(" ").map((word, i) => [word, i + 1] as const),
);
/** After an ordinal: a thing of another name, "third base". */
export const ordinalSenses = set(
  "base baseman basemen bagger class place floor story storey hand grade birthday avenue street aid baseline prize",
);
/** Between an ordinal and "from". */
export const countSteps = set("in over along down up out");

export const relationWords = set(
  "next beside besides near nearest behind between above below beneath under underneath over by against around inside outside " +
    "touching across opposite alongside beyond past adjacent amongst among after before of",
);
/** Relations between the target and another thing, for the features. "of" alone is none. */
export const relations = set(
  "beside besides near behind between above below beneath under underneath over by against around inside touching across opposite " +
    "alongside beyond past adjacent amongst among atop onto",
);

export const negators = set(
  "not isn't isnt aren't arent ain't aint wasn't wasnt never doesn't doesnt don't dont didn't didnt can't cant cannot",
);
export const exclusions = set("except excluding besides");
/** Without "not": they deny a thing or attribute, never a place. */
export const privatives = set("no without none nobody nothing neither nor");

export const superlatives = set(
  "best worst most least biggest largest smallest tallest shortest main oldest youngest closest nearest farthest furthest highest " +
    "lowest leftmost rightmost topmost bottommost uppermost",
);
/** Comparisons of one thing with the others of its kind. */
export const comparatives = set(
  "bigger larger smaller taller shorter older younger longer thinner thicker fatter wider narrower heavier brighter lighter darker closer " +
    "nearer farther further higher lower slimmer skinnier",
);
/** Words in -est that are no superlatives. */
export const notSuperlatives = set(
  "forest chest west vest nest rest guest request interest test breast crest arrest priest harvest honest modest protest contest " +
    "quest zest digest invest suggest headrest armrest footrest everest midwest pest jest northwest southwest conquest",
);
export const uniqueness = set("only alone sole single lone");
export const plurals = set(
  "both these those people men women children feet two three four five six several many pair couple group all sheep",
);
/** Words in -s that name one thing. */
export const notPlurals = set(
  "glasses pants jeans shorts bus grass dress glass his its this is was has as yes scissors sunglasses tennis across less plus us " +
    "canvas lens gas cactus octopus focus sides others always perhaps skis trunks tights overalls pajamas stairs wears looks holds " +
    "faces does goes shows sits stands rides legs arms hands",
);
