/** Compares two names as people order them: numbers in them by their value, without regard to case. */
export const naturalOrder = new Intl.Collator("en", { numeric: true }).compare;
