/** Contractions that are also written without their apostrophe. */
const single =
  "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's I'm I've isn't it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've shouldn't somebody'll somebody's someone'd someone'll someone's something'd something'll that's there'd there're there's they'd they'll they're they've 'twas wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've";

/** Contractions of three words, of which one of the two apostrophes may be missing. */
const double =
  "couldn't've hadn't've he'd've I'd've it'd've mightn't've she'd've shouldn't've someone'd've something'd've there'd've they'd've we'd've who'd've wouldn't've you'd've";

function withoutOne(word: string): string[] {
  const [start, middle, end] = word.split("'") as [string, string, string];
  return [`${start}${middle}'${end}`, `${start}'${middle}${end}`];
}

/**
 * Misspelt contractions, and how the VQA evaluation spells them (`vqaEval.py`; the same table in all harnesses). The
 * entry of `somebody'd` is the wrong way round there, and those with a capital never match lower-case words.
 */
export const contractions: ReadonlyMap<string, string> = new Map([
  ...single.split(' ').map((word) => [word.replace("'", ''), word] as const),
  ...double.split(' ').flatMap((word) => withoutOne(word).map((key) => [key, word] as const)),
  ["let's", "let's"],
  ["she's", "she's"],
  ["somebody'd", 'somebodyd'],
  ["somebodyd've", "somebody'd've"],
  ["somebody'dve", "somebody'd've"],
  ["yall'll", "y'all'll"],
  ["y'allll", "y'all'll"],
  ["yall'd've", "y'all'd've"],
  ["y'alld've", "y'all'd've"],
  ["y'all'dve", "y'all'd've"],
  ["ow's'at", "'ow's'at"],
  ["'ows'at", "'ow's'at"],
  ["'ow'sat", "'ow's'at"],
]);
