"""What every connector is, and the parts connectors share: requests, answers, signatures, lenient reading."""
