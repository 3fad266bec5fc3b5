/** Cuts a text before and after every name in it, so that each is a part by itself; the longest of those that begin at a place. */
export function textSplitter(names: readonly string[]): (text: string) => string[] {
  const byLength = names.filter((name) => name !== '').sort((one, other) => other.length - one.length);
  if (byLength.length === 0) return (text) => (text === '' ? [] : [text]);
  const pattern = new RegExp(`(${byLength.map((name) => name.replaceAll(/[\^$\\.*+?()[\]{}|/]/g, '\\$&')).join('|')})`, 'u');
  return (text) => text.split(pattern).filter((part) => part !== '');
}
