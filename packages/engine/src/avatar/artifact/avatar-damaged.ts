import { codedError } from '../../coded-error.ts';

/** An avatar that cannot be worn. */
export class AvatarDamaged extends codedError('AvatarDamaged', {
  missing: 'The avatar is not built, or its files were deleted; build it again.',
  damaged: 'A file of the avatar is missing or not what was built; build it again.',
  other_version: 'The avatar was built by another version of the engine; build it again.',
}) {}
