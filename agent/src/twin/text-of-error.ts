/** What a person reads of an error, as long as a report may carry. */
export function textOfError(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 400);
}
