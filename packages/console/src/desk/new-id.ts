/** In the address where an id would stand: a new one. Not a slug, so never somebody's id. */
export const newId = '+';
