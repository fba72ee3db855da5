/** Search for a text anywhere in a column, in any case, the same on both engines. */
import { sql, type RawBuilder } from 'kysely';

/** For `like … escape '\'`, lower case; the text's own wildcards stand for themselves. */
export function likePattern(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

export function contains(column: string, pattern: string): RawBuilder<boolean> {
  return sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
}
