/** Each view as "name rows x columns", with everything around it as it is. */
export function roles(weights: object): unknown {
  return JSON.parse(JSON.stringify(weights, (_, value: unknown) => (isView(value) ? `${value.name} ${value.rows} x ${value.columns}` : value)));
}
const isView = (value: unknown): value is { name: string; rows: number; columns: number } => typeof value === 'object' && value !== null && 'columns' in value;
