import type { Role, TutorClient } from '@virtual-tutor/sdk';
import type { ReactNode } from 'react';
import { useStaff } from '../engine/staff.tsx';
import type { Say, TextKey } from '../texts/texts.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { Blank, Loading } from './notice.tsx';
import { SignInForm } from './sign-in-form.tsx';

const roleTexts = { operator: 'roleOperator', teacher: 'roleTeacher', auditor: 'roleAuditor' } as const satisfies Record<Role, TextKey>;

export function sayRoles(roles: readonly Role[], say: Say, language: string): string {
  return new Intl.ListFormat(language, { type: 'unit' }).format(roles.map((role) => say(roleTexts[role])));
}

/** Shows its content to whoever is signed in with one of these roles, and to everyone else how to get there. */
export function StaffOnly({
  roles,
  children,
}: {
  /** Omitted: any. */
  readonly roles?: readonly Role[];
  readonly children: (client: TutorClient, roles: readonly Role[]) => ReactNode;
}) {
  const { say, language } = useSpeech();
  const { signIn, useKey } = useStaff();
  switch (signIn.status) {
    case 'pending':
      return <Loading />;
    case 'unreachable':
      return (
        <Blank title={say('unreachableTitle')}>
          <p role="status">{say('unreachableBody')}</p>
        </Blank>
      );
    case 'needsKey':
      return <SignInForm refused={signIn.refused} onKey={useKey} />;
    case 'signedIn':
      if (roles === undefined || roles.some((role) => signIn.roles.includes(role))) return children(signIn.client, signIn.roles);
      return (
        <Blank title={say('notAllowedTitle')}>
          <p>{say('notAllowedBody', { roles: sayRoles(roles, say, language) })}</p>
        </Blank>
      );
  }
}
