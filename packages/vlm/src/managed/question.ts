/** A row of ids in which one token stands for each image, and what of it the images become. */
export interface QuestionRow {
  /** Without padding. */
  readonly ids: readonly number[];
  /** Places of the image tokens in `ids`. */
  readonly images: readonly number[];
  /** Visual tokens of each image. */
  readonly lengths: readonly number[];
  /** Of these, how many are managed. */
  readonly managedLengths: readonly number[];
}

/** Where the question of a row is, in its sequence with visual tokens; as the released code stores it. */
export interface QuestionIndex {
  /** Place of the token that opens the second turn; −1 in a row without turns. */
  readonly start: number;
  /** Two in front of the token that opens the third turn, or the length of a row without turns. */
  readonly end: number;
  /** Behind the first image. */
  readonly imageEnd: number;
}

/**
 * Finds the question beside the images of a row.
 *
 * @param openingToken id that opens each turn: `<|im_start|>`
 */
export function questionIndex(
  { ids, images, lengths, managedLengths }: QuestionRow,
  openingToken: number,
): QuestionIndex {
  const openings = ids.flatMap((id, place) => (id === openingToken ? [place] : []));
  const [start, end = ids.length] = openings.slice(1, 3);
  if (start === undefined) {
    const total = ids.length - images.length + lengths.reduce((sum, length) => sum + length, 0);
    return { start: -1, end: total, imageEnd: managedLengths.at(-1)! };
  }
  return { start, end: end - 2 + lengths[0]!, imageEnd: images[0]! + lengths[0]! };
}

/**
 * Places of the question's tokens in a row's sequence: of the first turn of the user without its header, the line
 * breaks beside the image, and what closes it. In a row without turns, which is a picture and its caption, they are the
 * caption's: the published code lets what is to be predicted leak into the visual tokens then.
 *
 * Source: LLaVA-OV-Manager `llava/model/language_model/modeling_qwen2.py`.
 *
 * @param length of the sequences, which rows may be cut to
 */
export function questionPlaces(row: QuestionRow, openingToken: number, length: number): number[] {
  const { start, end, imageEnd } = questionIndex(row, openingToken);
  const { images, lengths } = row;
  if (images.length > 1) {
    const last = images.at(-1)! + lengths.slice(0, -1).reduce((sum, each) => sum + each - 1, 0);
    const added = lengths.slice(1).reduce((sum, each) => sum + each, 0);
    return range(last + lengths.at(-1)! + 1, Math.min(end + added - images.length, length));
  }
  if (start < 0) return range(imageEnd, Math.min(end - 1, length));
  const before = range(start + 3, images[0]!).slice(0, -1);
  return [...before, ...range(Math.min(imageEnd, length) + 1, Math.min(end - 1, length))];
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
