import * as React from 'react';

/**
 * A name, an address or a line of code that may be broken after its underscores, points and slashes before it is broken anywhere else.
 */
export function Breakable({ text }: { readonly text: string }): React.JSX.Element {
  return (
    <>
      {text.split(/(?<=[_.:/,[(=])/).map((part, index) => (
        <React.Fragment key={index}>
          {part}
          <wbr />
        </React.Fragment>
      ))}
    </>
  );
}
