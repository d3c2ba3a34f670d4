/** Parsers of outside bytes, exported only for fuzzing (`npm run fuzz:codecs`). */
export { awsKeys, verifyAwsIdentity } from "./aws.ts";
export { azureTrust, verifyAzureIdentity } from "./azure.ts";
export { verifyGoogleIdentity } from "./google.ts";
export { SignatureBudget } from "./signature-budget.ts";
