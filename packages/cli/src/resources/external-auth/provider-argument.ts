/** The argument of commands for one external auth provider. */
export const providerArgument = {
  summary: "id of the provider, as listed by slipway external-auth list",
  required: true,
} as const;
