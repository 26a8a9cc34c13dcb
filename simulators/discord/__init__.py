"""A Discord on loopback: REST, gateway, CDN and scripted members, for the demo and for tests."""
