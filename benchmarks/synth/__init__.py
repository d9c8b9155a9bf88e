"""Synth time, size and scale of the library, side by side with ARA and a bare CDK app."""
