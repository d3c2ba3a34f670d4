/** A text that would run a script as markup, and whose end would be shown the other way around. */
export const markup = "<img src=x onerror=alert(1)>\u202Egnp";
/** The same text as pages show it: as text, without the mark that turns it around. */
export const shownMarkup = "<img src=x onerror=alert(1)>gnp";
