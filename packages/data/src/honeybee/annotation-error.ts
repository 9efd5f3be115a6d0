import { z } from 'zod';
import { ConversationError } from '../conversation/conversation-error.js';
import { firstIssue } from '../data-error.js';

/**
 * Checks annotations that were read from a file.
 *
 * @param name of the data set, for the message
 * @throws ConversationError naming the field at fault
 */
export function parseAnnotations<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw annotationError(name, `the annotations of ${name}`, firstIssue(parsed.error), value);
}

/** Annotations that do not fit each other, or do not say what they should. */
export function annotationError(name: string, expected: string, received: string, value?: unknown): ConversationError {
  return new ConversationError({
    operation: `read ${name}`,
    expected,
    received,
    remedy: 'fetch the annotations again, in the version that the recipe names',
    value,
  });
}

/** A list of records with these fields, and any others. */
export function records<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.array(z.looseObject(shape));
}
