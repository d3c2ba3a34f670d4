/** The longest packet, as in OpenSSH. */
export const maxPacketBytes = 256 * 1024;

/** The length before a packet. */
export const lengthBytes = 4;
