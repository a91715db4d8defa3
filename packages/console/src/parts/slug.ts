/** Ids that a school chooses: tutors, course material, students. */
export function isSlug(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text);
}
