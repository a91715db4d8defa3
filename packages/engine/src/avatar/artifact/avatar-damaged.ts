const sentences = {
  missing: 'The avatar is not built, or its files were deleted; build it again.',
  damaged: 'A file of the avatar is missing or not what was built; build it again.',
  other_version: 'The avatar was built by another version of the engine; build it again.',
} as const;

/** An avatar that cannot be worn. */
export class AvatarDamaged extends Error {
  override readonly name = 'AvatarDamaged';
  readonly code: keyof typeof sentences;
  constructor(code: AvatarDamaged['code'], options?: ErrorOptions) {
    super(sentences[code], options);
    this.code = code;
  }
}
