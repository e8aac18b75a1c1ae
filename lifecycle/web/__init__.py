"""The pages: one blueprint an audience; a view parses, calls one service and renders."""
