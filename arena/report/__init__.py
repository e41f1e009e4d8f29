"""Report: what a run folder says, as one page of HTML that needs nothing else, and as pieces for papers."""
