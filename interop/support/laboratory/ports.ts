/** The ports of the services on the laboratory's internet. */
export const ports = { stun: 3_478, echo: 7, http: 80 } as const;
