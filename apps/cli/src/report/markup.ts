/** HTML that is safe to put into a page. */
export class Markup {
  constructor(readonly html: string) {}
}

type Content = string | number | Markup | undefined | false | readonly Content[];

/** Text with the characters escaped that mean something in HTML, also inside quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

function toHtml(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Markup) return content.html;
  return Array.isArray(content) ? content.map(toHtml).join('') : escapeHtml(String(content));
}

/** Template tag for HTML: whatever is filled in is escaped, unless it is {@link Markup} itself. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.map((part, index) => part + toHtml(contents[index])).join(''));
}

/** HTML from elsewhere that is known to be safe, such as a rendered chart. */
export function trusted(markup: string): Markup {
  return new Markup(markup);
}
