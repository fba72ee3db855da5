/** How soon and how often a flow that still lives is reported, so that a flood or a slow attack is seen while it goes on. */

export interface ReportPace {
  /** After the flow's first packet, and after the packet that ends a silence. */
  readonly firstUs: number;
  /** Or as soon as it has this many packets. */
  readonly firstPackets: number;
  /** From one report to the next. */
  readonly intervalUs: number;
}

/** What the shipped bundles were trained with. */
export const defaultReportPace: ReportPace = { firstUs: 1_000_000, firstPackets: 64, intervalUs: 5_000_000 };
