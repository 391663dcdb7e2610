//! Whether an address is this host's own.

export const isLoopbackAddress = (address: string): boolean => address.startsWith('127.') || address === '::1'
