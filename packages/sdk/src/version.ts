/** Told to the engine with each connection; a test keeps it equal to package.json. */
export const sdkVersion = '0.1.0';
/** Version of the wire contract that this package speaks. */
export const protocolVersion = 1;
