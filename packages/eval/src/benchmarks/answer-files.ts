/** The file that MM-Vet's authors grade: answers by `v1_` and the question's number. */
export function mmVetFile(
  rows: readonly { readonly questionId: number; readonly answer: string }[],
): Record<string, string> {
  return Object.fromEntries(rows.map(({ questionId, answer }) => [`v1_${questionId}`, answer]));
}

/** A question of MathVista as its Parquet file has it, with the path and the size of its image. */
export interface MathVistaItem {
  readonly pid: string;
  /** Path of the image. */
  readonly image_id: string;
  readonly [column: string]: unknown;
}

/**
 * The file that MathVista's authors extract answers from: the rows by their pid, with the path in place of the image,
 * and `response`.
 */
export function mathVistaFile(
  rows: readonly { readonly item: MathVistaItem; readonly answer: string }[],
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    rows.map(({ item, answer }) => {
      const { decoded_image: _picture, width: _width, height: _height, image_id: image, ...columns } = item;
      return [item.pid, { ...columns, image, response: answer }];
    }),
  );
}
