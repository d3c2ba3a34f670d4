/** The file that makes a directory a template. */
export const templateFileName = "slipway.yaml";
