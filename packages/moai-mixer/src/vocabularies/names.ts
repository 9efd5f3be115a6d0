/** The names of a list that is written with bars between them. */
export function names(list: string): readonly string[] {
  return list.trim().split(/\s*\|\s*/);
}
