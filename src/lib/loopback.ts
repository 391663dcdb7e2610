//! Whether an address is this host's own.

/** Takes an IP address as it is usually written: IPv4, or IPv6 without brackets and zone. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')
